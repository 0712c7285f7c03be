/** The client's npm package, packed and installed in folders that hold nothing else. */

import { execFile } from "node:child_process";
import { cp, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { ROOT } from "../../../javascript/support/cluster.js";

const run = promisify(execFile);
const CLIENT = join(ROOT, "clients/javascript");
const HERE = join(ROOT, "tests/sdk/javascript");
const QUIET = ["--offline", "--no-audit", "--no-fund", "--loglevel=error"];

const folders = [];
let file = null;

async function emptyFolder() {
  const folder = await mkdtemp(join(tmpdir(), "parley-sdk-"));
  folders.push(folder);
  return folder;
}

/** The packed file, built now. */
export async function packed() {
  if (file) return file;
  const folder = await emptyFolder();
  const { stdout } = await run("npm", ["pack", "--json", "--loglevel=error", "--pack-destination", folder], { cwd: CLIENT });
  const [{ filename }] = JSON.parse(stdout.slice(stdout.search(/^\[/m)));
  file = join(folder, filename);
  return file;
}

/**
 * A new folder with the package installed in it. `example`: the folder of `examples` that it is a
 * copy of. `dependencies`: with the packages that this folder pins, such as React and Vite.
 */
export async function installed({ example, from = example && join(ROOT, "examples", example), dependencies = false } = {}) {
  const folder = await emptyFolder();
  if (from) await cp(from, folder, { recursive: true, filter: (path) => !path.includes("node_modules") });
  if (dependencies) await cp(join(HERE, "node_modules"), join(folder, "node_modules"), { recursive: true, verbatimSymlinks: true });
  await run("npm", ["install", ...QUIET, await packed()], { cwd: folder });
  return folder;
}

export const removeFolders = () =>
  Promise.all(folders.splice(0).map((folder) => rm(folder, { recursive: true, force: true })));
