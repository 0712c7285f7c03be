// Shows what `status.json` says, and asks again every two seconds.

const EVERY = 2000;
const UNKNOWN = "?";

const main = document.querySelector("main");
const place = (id) => document.getElementById(id);

/** An element with text, and perhaps a class. */
function made(tag, text, kind = "") {
  const element = document.createElement(tag);
  element.textContent = text ?? UNKNOWN;
  element.className = kind;
  return element;
}

function row(...cells) {
  const line = document.createElement("tr");
  line.append(...cells);
  return line;
}

const number = (value, ill = false) =>
  made("td", value?.toLocaleString("en"), ill ? "number ill" : "number");

function forHumans(seconds) {
  const units = [[86400, "day"], [3600, "hour"], [60, "minute"], [1, "second"]];
  const [size, unit] = units.find(([length]) => seconds >= length) ?? units.at(-1);
  const count = Math.floor(seconds / size);
  return `${count} ${unit}${count === 1 ? "" : "s"}`;
}

function redisSays(redis) {
  if (!redis) return made("dd", "does not answer", "ill");
  const memory = (redis.memoryBytes / 2 ** 20).toFixed(1);
  return made(
    "dd",
    `${redis.version}, ${redis.role}, up for ${forHumans(redis.uptimeSeconds)}, ${memory} MiB, ${redis.clients} clients`,
  );
}

function sqlSays({ dialect, milliseconds }) {
  if (milliseconds === null) return made("dd", `${dialect}, does not answer`, "ill");
  return made("dd", `${dialect}, answers in ${milliseconds} ms`);
}

function partitionRow(partition) {
  const state = partition.open === null ? UNKNOWN : partition.open ? "open" : "closed";
  return row(
    number(partition.number),
    made("td", state, partition.open ? "" : "ill"),
    made("td", partition.owner ?? "nobody", partition.owner ? "" : "ill"),
    number(partition.epoch),
    number(partition.backlog),
    number(partition.stored),
    number(partition.deadLetters, partition.deadLetters > 0),
  );
}

/** What an operator should look at, a sentence each. */
function doubts(status) {
  const found = [...(status.redis?.doubts ?? [])];
  const letters = status.partitions.reduce((sum, { deadLetters }) => sum + (deadLetters ?? 0), 0);
  if (!status.redis) found.push("Redis does not answer");
  if (status.sql.milliseconds === null) found.push("the database does not answer");
  if (status.redis && !status.persisters.length) found.push("no persister lives");
  if (letters) found.push(`${letters} dead letters: look with python -m persister dead-letter list`);
  return found;
}

function show(status) {
  const waits = status.waitsFor ? `${status.gateway} waits for ${status.waitsFor}` : "";
  const found = doubts(status);
  place("verdict").textContent = waits || (found.length ? "Running, with doubts" : "All is well");
  place("verdict").dataset.is = waits || found.length ? "ill" : "well";
  place("when").textContent = `as ${status.gateway} sees it, ${new Date().toLocaleTimeString()}`;
  place("doubts").hidden = !found.length;
  place("doubts").replaceChildren(...found.map((text) => made("li", text)));
  place("stores").replaceChildren(
    made("dt", "Redis"), redisSays(status.redis), made("dt", "SQL"), sqlSays(status.sql),
  );
  place("gateways").replaceChildren(
    ...status.gateways.map(({ name, connections }) => row(made("td", name), number(connections))),
  );
  place("persisters").replaceChildren(
    ...status.persisters.map(({ name, partitions }) => row(made("td", name), number(partitions))),
  );
  place("partitions").replaceChildren(...status.partitions.map(partitionRow));
}

async function look() {
  try {
    const answer = await fetch("status.json", { signal: AbortSignal.timeout(10_000) });
    if (!answer.ok) throw new Error(`status ${answer.status}`);
    show(await answer.json());
    delete main.dataset.stale;
  } catch {
    place("verdict").textContent = "No gateway answers";
    place("verdict").dataset.is = "ill";
    main.dataset.stale = "";
  }
  setTimeout(look, EVERY);
}

look();
