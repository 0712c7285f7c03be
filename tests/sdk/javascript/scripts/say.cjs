/** Says one thing in a room, in CommonJS. */

const { Parley } = require("parley-chat");

async function main([url, room, text]) {
  const client = new Parley(url, { username: "script" });
  await client.connect();
  await client.join(room);
  const { seq } = await client.send(`#${room}`, text);
  console.log(`accepted as ${seq}`);
  client.close();
}

main(process.argv.slice(2));
