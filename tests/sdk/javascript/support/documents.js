/** Code in the documents. */

import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { ROOT } from "../../../javascript/support/cluster.js";

export const REFERENCE = "docs/reference/javascript.md";
export const REACT = "docs/reference/react.md";
export const BOT_GUIDE = "docs/get-started/bot.md";
export const README = "clients/javascript/README.md";

/** The blocks of a page in a language. */
export async function codeBlocks(page, language = "js") {
  const text = await readFile(join(ROOT, page), "utf8");
  return [...text.matchAll(new RegExp(`\`\`\`${language}\\n(.*?)\`\`\``, "gs"))].map(([, code]) => code);
}
