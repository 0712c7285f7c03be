// A chat server as Socket.IO's documentation has it, on one of its Redis adapters.
// node --expose-gc server.js ADAPTER PORT REDIS_URL [recover]
"use strict";

const { createServer } = require("node:http");
const { createClient } = require("redis");
const { Server } = require("socket.io");

const [adapter, port, redisUrl, recover] = process.argv.slice(2);

const ADAPTERS = {
  "redis-adapter": async (client) => {
    const { createAdapter } = require("@socket.io/redis-adapter");
    const subscriber = client.duplicate();
    await subscriber.connect();
    return createAdapter(client, subscriber);
  },
  "redis-streams-adapter": async (client) =>
    require("@socket.io/redis-streams-adapter").createAdapter(client),
};

function take(io, socket) {
  const sender = socket.handshake.query.username;
  socket.on("join", (room, done) => {
    socket.join(room);
    done();
  });
  socket.on("message", ({ room, content }) => {
    const createdAt = new Date().toISOString();
    io.to(room).emit("message", { room, content, sender, createdAt });
  });
}

async function main() {
  const client = createClient({ url: redisUrl });
  await client.connect();
  const server = createServer();
  const options = { adapter: await ADAPTERS[adapter](client), transports: ["websocket"] };
  if (recover) options.connectionStateRecovery = {};
  const io = new Server(server, options);
  io.on("connection", (socket) => take(io, socket));
  process.on("SIGUSR2", () => global.gc());
  server.listen(Number(port), "127.0.0.1", () => console.log("ready"));
}

main();
