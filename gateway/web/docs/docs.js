// Shows an OpenAPI document and lets one try its operations. No dependency, no build step.

const make = (tag, text = "", ...children) => {
  const element = document.createElement(tag);
  element.append(...(text === "" ? [] : [text]), ...children);
  return element;
};

/** An example value of a JSON schema. */
function example(schema, schemas) {
  if (schema.$ref) return example(schemas[schema.$ref.split("/").pop()], schemas);
  if (schema.anyOf) return example(schema.anyOf[0], schemas);
  if (schema.type === "object") {
    const fields = Object.entries(schema.properties ?? {});
    return Object.fromEntries(fields.map(([name, field], n) => [name, example(field, schemas) ?? n + 1]));
  }
  if (schema.type === "array") return [example(schema.items, schemas)];
  return { integer: undefined, string: "text", boolean: false, null: null }[schema.type];
}

/** A form that sends an operation's request and shows the answer. */
function tryOut(path, method, operation, schemas) {
  const form = make("form");
  const answer = make("pre");
  answer.hidden = true;
  const inputs = (operation.parameters ?? []).map((parameter) => {
    const input = make("input");
    input.name = parameter.name;
    input.required = true;
    form.append(make("label", `${parameter.name}: ${parameter.description}`, input));
    return input;
  });
  const schema = operation.requestBody?.content["application/json"].schema;
  let body;
  if (schema) {
    body = make("textarea");
    body.rows = 5;
    body.value = JSON.stringify(example(schema, schemas), null, 2);
    form.append(make("label", "body", body));
  }
  form.append(make("button", "Send"), answer);
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const filled = inputs.reduce(
      (url, input) => url.replace(`{${input.name}}`, encodeURIComponent(input.value)), path);
    answer.hidden = false;
    try {
      const response = await fetch(new URL(`.${filled}`, document.baseURI), {
        method: method.toUpperCase(),
        ...(body && { body: body.value, headers: { "Content-Type": "application/json" } }),
      });
      answer.textContent = `${response.status} ${response.statusText}\n${await response.text()}`;
    } catch (error) {
      answer.textContent = String(error);
    }
  });
  return form;
}

/** One operation, closed until it is asked for. */
function card(path, method, operation, schemas) {
  const summary = make("summary", "", make("b", method.toUpperCase()), make("code", path),
    make("span", operation.summary));
  const answers = make("dl");
  for (const [status, response] of Object.entries(operation.responses)) {
    answers.append(make("dt", "", make("code", status), " ", make("small", response.description)));
  }
  return make("details", "", summary, answers, tryOut(path, method, operation, schemas));
}

const spec = await (await fetch(new URL("openapi.json", document.baseURI))).json();
document.querySelector("#title").textContent = spec.info.title;
document.querySelector("#description").textContent = spec.info.description;
document.querySelector("#operations").replaceChildren(
  ...Object.entries(spec.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) =>
      card(path, method, operation, spec.components.schemas))));
