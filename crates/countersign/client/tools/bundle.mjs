// Makes the files of `dist` in memory, from the sources alone: the build writes them, the check compares them.

import { createHash } from "node:crypto";
import { execFileSync } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { minify } from "terser";

export const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));

export const options = {
  absWorkingDir: root,
  bundle: true,
  write: false,
  format: "esm",
  target: "es2022",
  minify: true,
  mangleProps: /^_/,
  charset: "utf8",
  legalComments: "none",
  logLevel: "warning",
};

/** Every file of `dist`, by name. */
export async function distFiles() {
  const { client, dpop } = await scripts();
  return new Map([["client.js", client], ["dpop.js", dpop], ...(await declarations())]);
}

/** The two modules that a page loads. */
export async function scripts() {
  const dpop = await script("src/dpop.ts");
  return { dpop, client: await script("src/index.ts", [lazily(dpop)]) };
}

/** One entry and all that it imports, minified. */
async function script(entry, plugins = []) {
  const { outputFiles } = await build({ ...options, plugins, entryPoints: [entry] });
  // A second look at what is bundled already: four parts in a hundred. The options are those that compress best.
  const { code } = await minify(outputFiles[0].text, {
    module: true,
    ecma: 2020,
    compress: {
      passes: 5,
      hoist_vars: true,
      inline: 2,
      join_vars: false,
      keep_fargs: false,
      pure_getters: true,
      sequences: false,
      unsafe_arrows: true,
    },
    format: { preamble: "/* countersign, MIT OR Apache-2.0 */" },
  });
  return `${code}\n`;
}

/** Leaves dpop.js out of the core, and names it by its content (as its ETag does), so that it may be cached for ever. */
export function lazily(dpop) {
  const version = createHash("sha256").update(dpop).digest().subarray(0, 16).toString("base64url");
  return {
    name: "lazily",
    setup({ onResolve }) {
      onResolve({ filter: /^\.\/dpop\.js$/ }, ({ kind }) =>
        kind === "dynamic-import" ? { path: `./dpop.js?v=${version}`, external: true } : undefined,
      );
    },
  };
}

/** The declarations of the public modules, and of those that they mention. */
async function declarations() {
  const folder = await mkdtemp(path.join(tmpdir(), "countersign-types-"));
  try {
    typescript("--project", "tsconfig.dist.json", "--outDir", folder);
    return await reachable(folder, ["index.d.ts", "dpop.d.ts"]);
  } finally {
    await rm(folder, { recursive: true });
  }
}

async function reachable(folder, waiting) {
  const found = new Map();
  for (const name of waiting) {
    if (found.has(name)) continue;
    const text = await readFile(path.join(folder, name), "utf8");
    found.set(name, text);
    for (const [, target] of text.matchAll(/(?:from |import\()"\.\/([\w-]+)\.js"/g)) waiting.push(`${target}.d.ts`);
  }
  return [...found].sort(([a], [b]) => (a < b ? -1 : 1));
}

/** Runs the TypeScript compiler; its complaints go to standard output, and a failure throws. */
export function typescript(...args) {
  const require = createRequire(import.meta.url);
  execFileSync(process.execPath, [require.resolve("typescript/bin/tsc"), ...args], { cwd: root, stdio: "inherit" });
}
