/** The AsyncAPI document, by the parser of those who make AsyncAPI. */

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import { Parser } from "@asyncapi/parser";

const DOCUMENT = new URL("../../docs/reference/asyncapi.json", import.meta.url);
const ERROR = 0;

test("The document is one of AsyncAPI 3.0, and its examples fit their schemas.", async () => {
  const { document, diagnostics } = await new Parser().parse(await readFile(DOCUMENT, "utf8"));
  assert.deepEqual(diagnostics.filter(({ severity }) => severity === ERROR), []);
  assert.equal(document.version(), "3.0.0");
  assert.ok(document.operations().all().length > 50);
});

test("A document with a mistake is refused.", async () => {
  const broken = (await readFile(DOCUMENT, "utf8")).replace('"action": "send"', '"action": "shout"');
  const { document, diagnostics } = await new Parser().parse(broken);
  assert.equal(document, undefined);
  assert.ok(diagnostics.some(({ severity }) => severity === ERROR));
});
