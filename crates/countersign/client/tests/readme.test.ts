// Every snippet of the README compiles, strictly, against the declarations that are published.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import test from "node:test";

const folder = path.resolve(`build/readme-${process.pid}`);

test("the snippets of the README compile", () => {
  mkdirSync(folder, { recursive: true });
  const snippets = [...readFileSync("README.md", "utf8").matchAll(/^```(js|tsx?)\n([^]*?)^```$/gm)];
  assert.ok(snippets.length >= 9, `${snippets.length} snippets`);
  for (const [index, [, language, code]] of snippets.entries()) {
    const name = /^\/\/ ([\w-]+\.\w+)$/m.exec(code!)?.[1] ?? `snippet-${index}.${language}`;
    writeFileSync(path.join(folder, name), runnable(code!));
  }
  writeFileSync(path.join(folder, "tsconfig.json"), JSON.stringify(CONFIG));
  const tsc = createRequire(import.meta.url).resolve("typescript/bin/tsc");
  const { status, stdout } = spawnSync(process.execPath, [tsc, "--project", folder], { encoding: "utf8" });
  rmSync(folder, { recursive: true });
  assert.equal(status, 0, stdout);
});

/** What the compiler can find: the served file by its package's name, and a session where the text has made one before. */
function runnable(code: string): string {
  const found = code.replace('"/session/client.js"', '"countersign"');
  if (/createSession|from "react"/.test(found)) return found;
  return `import { createSession } from "countersign";\nconst session = createSession();\n${found}`;
}

const CONFIG = {
  extends: "../../tsconfig.json",
  compilerOptions: {
    allowJs: true,
    checkJs: true,
    jsx: "react-jsx",
    moduleDetection: "force",
    noUnusedLocals: false,
    paths: { countersign: ["../../dist/index.d.ts"] },
    skipLibCheck: true,
  },
  include: ["*"],
};
