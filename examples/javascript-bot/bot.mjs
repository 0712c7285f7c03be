import { Parley } from "parley-chat";

const ROOM = process.argv[2] ?? "general";
const bot = new Parley(process.env.PARLEY ?? "http://127.0.0.1:8080", { username: "dice" });

bot.on("message", ({ place, sender, content }) => {
  const [, count, sides] = /^!roll (\d{1,2})d(\d{1,4})$/.exec(content) ?? [];
  if (!count || sender === bot.username) return;
  const rolled = Array.from({ length: count }, () => 1 + Math.floor(Math.random() * sides));
  bot.send(place, `${sender} rolled ${rolled.join(", ")}`);
});

await bot.connect();
await bot.join(ROOM);
console.log(`dice is in ${ROOM}`);
