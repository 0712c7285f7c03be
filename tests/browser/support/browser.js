/** Chromium, and people who use the page in it. */

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { chromium } from "playwright-core";
import { IN_TIME } from "../../javascript/support/cluster.js";

const CHROMIUM = process.env.CHROMIUM ?? "/usr/bin/chromium";

/** It talks to this machine only, and starts as fast as it can. */
const FLAGS = [
  "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
  "--disable-component-update", "--disable-sync",
];

const AXE = createRequire(import.meta.url).resolve("axe-core/axe.min.js");
const RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];

/** Nothing on a page that axe-core (WCAG 2.2 AA, and good practice) objects to. */
export async function isAccessible({ page }) {
  await page.evaluate(await readFile(AXE, "utf8"));
  const { violations } = await page.evaluate((runOnly) => globalThis.axe.run(document, { runOnly }), RULES);
  const told = violations.flatMap(({ id, help, nodes }) => nodes.map((node) => `${id}: ${help}\n${node.html}\n${node.failureSummary}`));
  assert.deepEqual(told, []);
}

export const launch = () => chromium.launch({ executablePath: CHROMIUM, args: FLAGS });

/** Do something again and again until `seen()` resolves: for what is shown for a moment only. */
export async function doUntil(act, seen) {
  let over = false;
  const shown = seen().finally(() => { over = true; });
  const settled = shown.catch(() => {});
  while (!over) {
    await act();
    await Promise.race([settled, new Promise((done) => setTimeout(done, 500))]);
  }
  await shown;
}

/**
 * What comes before a person signs in (`more.before`) to keep back the answer to their first request
 * of an event, with data as wanted; and what lets it go.
 */
export function keepsBack(event, isWanted = () => true) {
  const kept = [];
  let asked = null, isOver = false, client = null;
  const before = ({ page }) => page.routeWebSocket(/\/ws/, (route) => {
    const server = route.connectToServer();
    client = route;
    route.onMessage((text) => {
      const frame = JSON.parse(text);
      if (frame.event === event && isWanted(frame.data)) asked ??= frame.id;
      server.send(text);
    });
    server.onMessage((text) => {
      const { event: answer, id } = JSON.parse(text);
      if (!isOver && answer === "reply" && id === asked) kept.push(text);
      else route.send(text);
    });
  });
  const letGo = () => {
    isOver = true;
    for (const text of kept) client.send(text);
  };
  return [before, letGo];
}

/** A person in a window of their own, with storage of their own. */
export class Person {
  problems = [];

  /** Open the page of a gateway and sign in. */
  static async comes(browser, url, name, { context: options, ...more } = {}) {
    const context = await browser.newContext({
      viewport: { width: 1180, height: 760 }, locale: "en-GB", timezoneId: "UTC", reducedMotion: "reduce", ...options,
    });
    context.setDefaultTimeout(IN_TIME);
    const person = new Person(await context.newPage(), name);
    person.touch = Boolean(options?.hasTouch); // there, Enter begins a new line
    await more.before?.(person);
    await person.page.goto(url + (more.at ?? "/"));
    await person.page.getByLabel("Your name").fill(name);
    await person.page.keyboard.press("Enter");
    // On a phone the list is hidden as soon as the page goes to the first room.
    await person.page.locator("side-bar nav").waitFor({ state: "attached" });
    return person;
  }

  constructor(page, name) {
    this.page = page;
    this.name = name;
    page.on("pageerror", (error) => this.problems.push(error.stack));
    page.on("console", (message) => message.type() === "error" && this.#console(message.text()));
  }

  /** Where one writes. */
  get writing() {
    return this.page.getByRole("textbox", { name: /^Message / });
  }

  get sign() {
    return this.page.locator("side-bar connection-sign");
  }

  /** The rows of the conversation that is open. */
  get rows() {
    return this.page.locator("message-list .row");
  }

  /** The row of a text. */
  row(text) {
    return this.rows.filter({ has: this.page.locator(".content", { hasText: text }) });
  }

  /** The button of a place, "#room" or "@user", in the list. */
  place(name) {
    return this.page.locator(`side-bar [data-place="${name}"]`);
  }

  async say(text) {
    await this.writing.fill(text);
    if (this.touch) await this.page.getByRole("button", { name: "Send" }).click();
    else await this.writing.press("Enter");
  }

  /** Go to a room by name, from anywhere. */
  async goes(name) {
    await this.page.keyboard.press("Control+k");
    await this.page.getByLabel("Rooms and people").fill(name);
    // The list of the server's rooms comes a moment after the dialog.
    await this.page.locator(`dialog [data-choice="#${name}"]`).click();
    await this.page.getByRole("heading", { level: 2, name, exact: true }).waitFor();
  }

  async createRoom(name, password = "") {
    await this.page.getByRole("button", { name: "Create or join a room" }).click();
    await this.page.getByLabel("Name", { exact: true }).fill(name);
    await this.page.getByLabel(/^Password/).fill(password);
    await this.page.getByRole("button", { name: "Create room" }).click();
    await this.page.getByRole("heading", { level: 2, name, exact: true }).waitFor();
  }

  /** What is said, in order, of the rows there are. */
  texts() {
    return this.page.locator("message-list .row .content").allTextContents();
  }

  async goesAway() {
    await this.page.context().close();
  }

  #console(text) {
    // A server that was killed, and a browser that is offline, are what some tests are about.
    if (!/WebSocket connection to|net::ERR_/.test(text)) this.problems.push(text);
  }
}
