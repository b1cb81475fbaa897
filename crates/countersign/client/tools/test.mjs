// `npm test`: compiles sources and tests one by one, without bundling, and runs Node's own test runner.
// Names of files narrow it down: `npm test -- dpop events`.

import { spawnSync } from "node:child_process";
import { readdir, rm } from "node:fs/promises";
import path from "node:path";
import { build } from "esbuild";
import { root } from "./bundle.mjs";

const sources = await typescriptFiles("src");
const tests = await typescriptFiles("tests");
const wanted = process.argv.slice(2);
// A folder of its own, so that two runs at once do not meet.
const folder = `build/${process.pid}`;
await build({
  absWorkingDir: root,
  entryPoints: [...sources, ...tests],
  outdir: folder,
  outbase: ".",
  format: "esm",
  target: "es2022",
  sourcemap: "inline",
  logLevel: "warning",
});
const files = tests
  .filter((file) => file.endsWith(".test.ts") && (!wanted.length || wanted.some((word) => file.includes(word))))
  .map((file) => path.join(folder, file.replace(/ts$/, "js")));
const reporter = process.stdout.isTTY || process.env.CI ? "spec" : "dot";
const run = [`--test-reporter=${process.env.REPORTER ?? reporter}`, "--enable-source-maps", "--test-force-exit", "--test", ...files];
process.exitCode = spawnSync(process.execPath, run, { cwd: root, stdio: "inherit" }).status ?? 1;
await rm(path.join(root, folder), { recursive: true });

async function typescriptFiles(folder) {
  const names = await readdir(path.join(root, folder), { recursive: true });
  return names.filter((name) => /(?<!\.d)\.ts$/.test(name)).sort().map((name) => path.join(folder, name));
}
