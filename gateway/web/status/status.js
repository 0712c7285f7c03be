// Shows the data of `status.json`, and loads it again every two seconds.

const REFRESH_INTERVAL_MS = 2000;
const UNKNOWN = "?";

const main = document.querySelector("main");
const place = (id) => document.getElementById(id);

/** Make an element with a text, and a class if it has one. */
function make(tag, text, kind = "") {
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
  make("td", value?.toLocaleString("en"), ill ? "number ill" : "number");

function duration(seconds) {
  const units = [[86400, "day"], [3600, "hour"], [60, "minute"], [1, "second"]];
  const [size, unit] = units.find(([length]) => seconds >= length) ?? units.at(-1);
  const count = Math.floor(seconds / size);
  return `${count} ${unit}${count === 1 ? "" : "s"}`;
}

function redisStatus(redis) {
  if (!redis) return make("dd", "does not answer", "ill");
  const memory = (redis.memoryBytes / 2 ** 20).toFixed(1);
  return make(
    "dd",
    `${redis.version}, ${redis.role}, up for ${duration(redis.uptimeSeconds)}, ${memory} MiB, ${redis.clients} clients`,
  );
}

function sqlStatus({ dialect, milliseconds }) {
  if (milliseconds === null) return make("dd", `${dialect}, does not answer`, "ill");
  return make("dd", `${dialect}, answers in ${milliseconds} ms`);
}

function partitionRow(partition) {
  const state = partition.open === null ? UNKNOWN : partition.open ? "open" : "closed";
  return row(
    number(partition.number),
    make("td", state, partition.open ? "" : "ill"),
    make("td", partition.owner ?? "none", partition.owner ? "" : "ill"),
    number(partition.epoch),
    number(partition.backlog),
    number(partition.stored),
    number(partition.deadLetters, partition.deadLetters > 0),
  );
}

/** What a supervised process does at the time `now`; `ill` if that is not to run. */
function processState({ pid, waitsFor, nextTryAt }, now) {
  if (waitsFor) return make("td", `starts as soon as ${waitsFor}`, "ill");
  if (nextTryAt) {
    const seconds = Math.max(0, Math.ceil((nextTryAt - now) / 1000));
    return make("td", `ended, started again in ${duration(seconds)}`, "ill");
  }
  return pid === null ? make("td", "not started yet") : make("td", `runs (pid ${pid})`);
}

function processRow(process, now) {
  return row(
    make("td", process.name),
    processState(process, now),
    number(process.failures, process.failures > 0),
    make("td", process.ending ?? ""),
  );
}

/** The warnings for the operator, a sentence each. */
function warnings(status) {
  const found = [...(status.redis?.doubts ?? [])];
  const letters = status.partitions.reduce((sum, { deadLetters }) => sum + (deadLetters ?? 0), 0);
  if (!status.redis) found.push("Redis does not answer");
  if (status.sql.milliseconds === null) found.push("the database does not answer");
  for (const { name, failures, ending, waitsFor } of status.processes ?? []) {
    if (waitsFor) found.push(`${name} ended, and starts as soon as ${waitsFor}`);
    else if (failures > 1) found.push(`${name} ended ${failures} times in a row (${ending})`);
  }
  for (const { name, outage } of status.persisters) {
    if (outage) found.push(`${name} cannot store: ${outage}`);
  }
  if (status.redis && !status.persisters.length) found.push("no persister is running");
  if (letters) found.push(`${letters} dead letters: list them with python -m persister dead-letter list`);
  return found;
}

function show(status) {
  const waits = status.waitsFor ? `${status.gateway} waits for ${status.waitsFor}` : "";
  const found = warnings(status);
  place("verdict").textContent = waits || (found.length ? "Running, with warnings" : "All is well");
  place("verdict").dataset.is = waits || found.length ? "ill" : "well";
  place("when").textContent = `reported by ${status.gateway}, ${new Date().toLocaleTimeString()}`;
  place("doubts").hidden = !found.length;
  place("doubts").replaceChildren(...found.map((text) => make("li", text)));
  place("stores").replaceChildren(
    make("dt", "Redis"), redisStatus(status.redis), make("dt", "SQL"), sqlStatus(status.sql),
  );
  place("supervised").hidden = !status.processes;
  place("processes").replaceChildren(...(status.processes ?? []).map((each) => processRow(each, status.now)));
  place("gateways").replaceChildren(
    ...status.gateways.map(({ name, connections }) => row(make("td", name), number(connections))),
  );
  place("persisters").replaceChildren(
    ...status.persisters.map(({ name, partitions }) => row(make("td", name), number(partitions))),
  );
  place("partitions").replaceChildren(...status.partitions.map(partitionRow));
}

async function refresh() {
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
  setTimeout(refresh, REFRESH_INTERVAL_MS);
}

refresh();
