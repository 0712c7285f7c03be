/** Chromium, and a page in it that may have no errors. */

import assert from "node:assert/strict";
import { chromium } from "playwright-core";
import { IN_TIME } from "../../../javascript/support/cluster.js";

const CHROMIUM = process.env.CHROMIUM ?? "/usr/bin/chromium";
const FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"];

export const launch = () => chromium.launch({ executablePath: CHROMIUM, args: FLAGS });

/**
 * Open a page in a window of its own. `sent` are the events that its client sends; `close` fails if
 * the page reported an error or a warning.
 */
export async function opened(browser, url) {
  const context = await browser.newContext();
  context.setDefaultTimeout(IN_TIME);
  const page = await context.newPage();
  const problems = [], sent = [];
  page.on("websocket", (socket) => socket.on("framesent", ({ payload }) => {
    if (payload[0] === "{") sent.push(JSON.parse(payload).event ?? ""); // Vite's have no event
  }));
  page.on("pageerror", (error) => problems.push(error.stack));
  page.on("console", (message) => {
    // A gateway that was killed is what some tests are about.
    const isExpected = /WebSocket connection to|net::ERR_/.test(message.text());
    if (["error", "warning"].includes(message.type()) && !isExpected) problems.push(message.text());
  });
  await page.goto(url);
  const close = async () => {
    await context.close();
    assert.deepEqual(problems, []);
  };
  return { page, sent, close };
}
