/** The page that shows the REST interface. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { IN_TIME } from "../javascript/support/cluster.js";
import { Stage } from "./support/stage.js";

const stage = new Stage();

test("/docs shows every request and tries one, within its policy and without asking anybody else.", async () => {
  const problems = [], elsewhere = [];
  const page = await stage.browser.newPage();
  page.setDefaultTimeout(IN_TIME);
  page.on("pageerror", (error) => problems.push(error.stack));
  page.on("console", (message) => message.type() === "error" && problems.push(message.text()));
  const base = `http://127.0.0.1:${stage.cluster.port}`;
  page.on("request", (request) => !/^(data:|http:\/\/127\.0\.0\.1)/.test(request.url()) && elsewhere.push(request.url()));
  await page.goto(`${base}/docs`);
  await page.getByRole("heading", { name: /^Parley/ }).waitFor();
  const requests = page.locator(".opblock");
  await requests.first().waitFor();
  assert.equal(await requests.count(), 5);
  const list = page.locator("#operations-default-getChatsOfUser");
  await list.locator(".opblock-summary-control").click();
  await list.getByRole("button", { name: "Try it out" }).click();
  await list.locator("tr[data-param-name=id] input").fill("nobody-yet");
  await list.getByRole("button", { name: "Execute" }).click();
  await list.locator(".live-responses-table .response-col_status").filter({ hasText: "200" }).waitFor();
  assert.deepEqual(problems, []);
  assert.deepEqual(elsewhere, []);
});
