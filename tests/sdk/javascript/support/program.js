/** Programs that a test starts, and the lines that they print. */

import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { IN_TIME } from "../../../javascript/support/cluster.js";

const programs = [];

export class Program {
  lines = [];
  #looks = new Set();
  #child;

  /** Run a command in a folder, in a process group of its own: npm starts others. */
  constructor(folder, [command, ...words], env = {}) {
    this.#child = spawn(command, words, { cwd: folder, env: { ...process.env, NO_COLOR: "1", ...env }, detached: true });
    this.ended = once(this.#child, "exit").then(([code]) => code);
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      createInterface({ input: stream }).on("line", (line) => {
        this.lines.push(line);
        for (const look of this.#looks) look();
      });
    }
    programs.push(this);
  }

  /** Wait for a line; resolves with what `wanted` matches in it. */
  line(wanted) {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`no ${wanted} in\n${this.lines.join("\n")}`)), IN_TIME);
      const look = () => {
        const found = this.lines.map((line) => wanted.exec(line)).find(Boolean);
        if (!found) return;
        clearTimeout(timer);
        this.#looks.delete(look);
        resolve(found);
      };
      this.#looks.add(look);
      look();
    });
  }

  async stop() {
    try {
      process.kill(-this.#child.pid);
    } catch {
      return; // it has ended
    }
    await this.ended;
  }
}

export const stopPrograms = () => Promise.all(programs.splice(0).map((program) => program.stop()));
