/** Renders the page on the server; the browser takes it over, and connects. */

import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import react from "@vitejs/plugin-react";
import { createServer as createVite } from "vite";

const server = createServer();
const vite = await createVite({
  plugins: [react()],
  appType: "custom",
  server: { middlewareMode: true, hmr: { server } },
});

server.on("request", (request, response) => vite.middlewares(request, response, async () => {
  const template = await readFile(new URL("index.html", import.meta.url), "utf8");
  const { render } = await vite.ssrLoadModule("/src/render.jsx");
  const page = (await vite.transformIndexHtml(request.url, template)).replace("<!--page-->", render());
  response.setHeader("Content-Type", "text/html").end(page);
}));

server.listen(Number(process.env.PORT ?? 3000), "127.0.0.1", () => {
  console.log(`http://127.0.0.1:${server.address().port}`);
});
