/** The operator's status page. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { IN_TIME } from "../javascript/support/cluster.js";
import { Listener } from "../javascript/support/listening.js";
import { Stage } from "./support/stage.js";

const stage = new Stage();

test("The status page shows every part of the cluster, and what changes, by itself.", async () => {
  const problems = [];
  const page = await stage.browser.newPage();
  page.setDefaultTimeout(IN_TIME);
  page.on("pageerror", (error) => problems.push(error.stack));
  page.on("console", (message) => message.type() === "error" && problems.push(message.text()));
  await page.goto(`http://127.0.0.1:${stage.cluster.port + 1000}/`);
  await page.getByText("All is well").waitFor();
  const connections = page.getByRole("row", { name: /^gateway-2-/ }).locator(".number");
  await connections.filter({ hasText: /^0$/ }).waitFor();
  await page.getByRole("row", { name: /^persister-1-/ }).first().waitFor();
  assert.equal(await page.locator("#partitions tr").count(), 8);
  await Listener.connected(stage.cluster.gateway(2), "ann");
  await connections.filter({ hasText: /^1$/ }).waitFor();
  assert.deepEqual(problems, []);
});

test("The status page shows which process keeps ending, how often and how.", async () => {
  const page = await stage.browser.newPage();
  page.setDefaultTimeout(IN_TIME);
  await page.goto(`http://127.0.0.1:${stage.cluster.port + 1000}/`);
  const told = page.getByRole("row", { name: /^gateway-2 / });
  await told.getByText(/^runs/).waitFor();
  for (const times of ["1", "2"]) {
    await stage.cluster.kill("gateway-2");
    const again = page.getByRole("row", { name: new RegExp(`^gateway-2 runs.* ${times} killed by SIGKILL`) });
    await again.waitFor();
  }
  await page.getByText("gateway-2 ended 2 times in a row (killed by SIGKILL)").waitFor();
});
