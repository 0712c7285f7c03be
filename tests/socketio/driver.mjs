// Holds Socket.IO clients for a test: commands come as lines of JSON on standard input, what
// happens goes out as lines of JSON. Binary values are {"$binary": base64} in both.

import { createInterface } from "node:readline";
import { io as newest } from "socket.io-client";
import { io as first } from "socket.io-client-4.6";

const versions = { newest, "4.6.0": first };
const clients = new Map();

const say = (line) => process.stdout.write(JSON.stringify(line) + "\n");

function out(value) {
  if (value instanceof Uint8Array) return { $binary: Buffer.from(value).toString("base64") };
  if (Array.isArray(value)) return value.map(out);
  if (value && typeof value === "object")
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, out(item)]));
  return value === undefined ? null : value;
}

function into(value) {
  if (Array.isArray(value)) return value.map(into);
  if (value && typeof value === "object") {
    if (typeof value.$binary === "string") return Buffer.from(value.$binary, "base64");
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, into(item)]));
  }
  return value;
}

const commands = {
  connect({ client, url, version, options }) {
    const socket = versions[version](url, { forceNew: true, ...options });
    clients.set(client, socket);
    const tell = (what, more = {}) => say({ client, what, ...more });
    socket.onAny((event, ...args) => tell("event", { event, args: out(args) }));
    socket.on("connect", () =>
      tell("connect", {
        id: socket.id,
        engine: socket.io.engine.id,
        recovered: Boolean(socket.recovered),
        pid: socket._pid ?? null,
        transport: socket.io.engine.transport.name,
      }),
    );
    socket.on("disconnect", (reason) => tell("disconnect", { reason }));
    socket.on("connect_error", (error) =>
      tell("connect_error", { message: error.message, data: out(error.data) }),
    );
    socket.io.on("open", () =>
      socket.io.engine.on("upgrade", (transport) => tell("upgrade", { transport: transport.name })),
    );
  },
  emit({ client, event, args }) {
    clients.get(client).emit(event, ...into(args));
  },
  request({ client, event, args, id }) {
    clients.get(client).emit(event, ...into(args), (...answer) =>
      say({ client, what: "answer", id, args: out(answer) }),
    );
  },
  // The connection breaks without a word, as when a network does.
  cut({ client }) {
    clients.get(client).io.engine.close();
  },
  disconnect({ client }) {
    clients.get(client).disconnect();
  },
  reconnect({ client, auth }) {
    if (auth) clients.get(client).auth = auth;
    clients.get(client).connect();
  },
  set({ client, pid, offset }) {
    const socket = clients.get(client);
    if (pid !== undefined) socket._pid = pid;
    if (offset !== undefined) socket._lastOffset = offset;
  },
};

createInterface({ input: process.stdin })
  .on("line", (line) => {
    const command = JSON.parse(line);
    commands[command.do](command);
  })
  .on("close", () => process.exit(0));
say({ client: null, what: "ready" });
