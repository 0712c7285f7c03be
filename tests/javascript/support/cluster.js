/** A whole cluster for a test, with real processes: the JavaScript sister of tests/support. */

import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";

export const ROOT = resolve(import.meta.dirname, "../../..");

/** Milliseconds for what takes a moment, also on a slow machine under load. */
export const IN_TIME = Number(process.env.TEST_WITHIN_MS ?? 60_000);

/** Below the range that the kernel takes the ports of outgoing connections from. */
const LOWEST = 10_000, HIGHEST = 30_000;
const OFFSETS = [0, 1, 2, 500, 1000, 1001, 1002, 1101];

async function isFree(port) {
  const server = createServer();
  try {
    server.listen(port, "127.0.0.1");
    await once(server, "listening");
    return true;
  } catch {
    return false;
  } finally {
    server.close();
  }
}

async function freePort() {
  for (;;) {
    const port = LOWEST + Math.floor(Math.random() * (HIGHEST - LOWEST));
    const free = await Promise.all(OFFSETS.map((offset) => isFree(port + offset)));
    if (free.every(Boolean)) return port;
  }
}

/** `await Cluster.start()`; two gateways and a persister unless `env` says otherwise. */
export class Cluster {
  lines = [];
  #process;
  #folder;
  #waiting = new Set();

  static async start(env = {}) {
    const cluster = new Cluster();
    await cluster.#start(env);
    return cluster;
  }

  /** The load balancer. */
  get url() {
    return `http://127.0.0.1:${this.port}`;
  }

  /** Gateway `number`, counted from 1. */
  gateway(number) {
    return `http://127.0.0.1:${this.port + number}`;
  }

  async pid(name) {
    return Number(await readFile(join(this.#folder, "run", `${name}.pid`), "utf8"));
  }

  /** Send process `name` a signal; resolves with its pid. */
  async kill(name, signal = "SIGKILL") {
    const pid = await this.pid(name);
    process.kill(pid, signal);
    return pid;
  }

  /** Have Redis lose all that it holds. */
  async flush() {
    const url = new URL(await readFile(join(this.#folder, "run", "redis_url"), "utf8"));
    const socket = connect(Number(url.port), url.hostname);
    socket.setEncoding("utf8");
    socket.write(`AUTH ${url.password}\r\nFLUSHALL\r\n`);
    let answers = "";
    for await (const answer of socket) {
      answers += answer;
      if (answers.split("\r\n").length > 2) break; // which closes the connection
    }
    if (answers !== "+OK\r\n+OK\r\n") throw new Error(`Redis said ${answers}`);
  }

  /** Wait until process `name` was started after the one of `pid`; a gateway also until it is ready. */
  async restarted(name, pid) {
    const started = new RegExp(` ${name} started \\(pid (\\d+)\\)`);
    const later = () => {
      const pids = this.lines.map((line) => Number(started.exec(line)?.[1])).filter(Boolean);
      return pids.includes(pid) && pids.at(-1) !== pid;
    };
    await this.#until(later, `${name} was not started again`);
    const gateway = /^gateway-(\d+)$/.exec(name)?.[1];
    for (let ready = !gateway; !ready;) {
      ready = await fetch(`${this.gateway(Number(gateway))}/health/ready`).then(({ ok }) => ok, () => false);
      if (!ready) await new Promise((done) => setTimeout(done, 20));
    }
  }

  async stop() {
    if (this.#process.exitCode === null) {
      const ended = once(this.#process, "exit");
      this.#process.kill("SIGTERM");
      await ended;
    }
    await rm(this.#folder, { recursive: true, force: true });
  }

  async #start(env) {
    this.port = await freePort();
    this.#folder = await mkdtemp(join(tmpdir(), "parley-test-"));
    this.#process = spawn(join(ROOT, ".venv/bin/python"), ["-m", "deploy.cluster"], {
      cwd: ROOT,
      env: {
        PATH: process.env.PATH, HOME: process.env.HOME ?? "/", GATEWAYS: "2", PERSISTERS: "1",
        PORT: String(this.port), DATA_DIR: this.#folder, DRAIN_SECONDS: "2", ...env,
      },
      stdio: ["ignore", "pipe", "pipe"],
    });
    for (const stream of [this.#process.stdout, this.#process.stderr]) {
      createInterface({ input: stream }).on("line", (line) => {
        this.lines.push(line);
        for (const look of this.#waiting) look();
      });
    }
    // A test that ends before its cluster does not leave one behind.
    process.on("exit", () => this.#process.kill("SIGTERM"));
    await this.#until(() => this.lines.some((line) => line.includes("cluster ready: ")), "not ready");
  }

  #until(happened, failure) {
    return new Promise((done, fail) => {
      const look = () => {
        if (!happened()) return;
        this.#waiting.delete(look);
        clearTimeout(timer);
        done();
      };
      const timer = setTimeout(() => {
        this.#waiting.delete(look);
        fail(new Error([`${failure}; the cluster said at last:`, ...this.lines.slice(-30)].join("\n")));
      }, IN_TIME);
      this.#waiting.add(look);
      look();
    });
  }
}
