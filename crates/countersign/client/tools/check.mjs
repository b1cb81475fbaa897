// `npm run check`: types, the committed files against a fresh build, and the size of the core.

import { readdir, readFile } from "node:fs/promises";
import path from "node:path";
import { gzipSync } from "node:zlib";
import { transform } from "esbuild";
import ts from "typescript";
import { distFiles, root, typescript } from "./bundle.mjs";
import { docFiles } from "./docs.mjs";

/** The most that the core may weigh, in bytes, compressed by gzip -9. */
const BUDGET = 6144;

/** What a strict Content-Security-Policy or the rule "tokens in memory only" forbids. */
const FORBIDDEN = /\beval\b|\bFunction\(|\bdocument\.(write|cookie)|innerHTML|localStorage|sessionStorage|XMLHttpRequest/;

typescript("--project", "tsconfig.json");
typescript("--project", "tsconfig.tests.json");
const dist = await distFiles();
const complaints = [
  ...(await differences("dist", dist)),
  ...(await differences("docs", await docFiles())),
  ...(await Promise.all(["client.js", "dpop.js"].map((name) => scriptComplaints(name, dist.get(name))))).flat(),
  ...[...dist].filter(([name]) => name.endsWith(".d.ts")).flatMap(([name, text]) => typeComplaints(name, text)),
  ...sizeComplaints(dist.get("client.js")),
];
complaints.forEach((complaint) => console.error(complaint));
process.exitCode = complaints.length ? 1 : 0;

async function differences(folder, fresh) {
  const there = await readdir(path.join(root, folder), { recursive: true, withFileTypes: true }).catch(() => []);
  const names = there.filter((entry) => entry.isFile()).map((entry) => path.join(entry.parentPath, entry.name));
  const extra = names.map((name) => path.relative(path.join(root, folder), name)).filter((name) => !fresh.has(name));
  const changed = [];
  for (const [name, text] of fresh) {
    const committed = await readFile(path.join(root, folder, name), "utf8").catch(() => undefined);
    if (committed !== text) changed.push(name);
  }
  return [...extra, ...changed].map((name) => `${folder}/${name}: differs from a fresh build; run \`npm run build\``);
}

async function scriptComplaints(name, text) {
  const found = FORBIDDEN.exec(text);
  const newer = (await lowered(text, "es2022")) !== (await lowered(text, "esnext"));
  return [
    ...(found ? [`dist/${name}: holds ${found[0]}`] : []),
    ...(newer ? [`dist/${name}: needs more than ES2022`] : []),
    ...(text.includes(root) ? [`dist/${name}: names a folder of this machine`] : []),
  ];
}

/** Syntax newer than the target is rewritten, so two targets differ exactly where there is some. */
async function lowered(text, target) {
  return (await transform(text, { target, format: "esm", minify: true, legalComments: "none" })).code;
}

function typeComplaints(name, text) {
  const file = ts.createSourceFile(name, text, ts.ScriptTarget.ES2022, true);
  const found = [];
  const visit = (node) => {
    const { line } = file.getLineAndCharacterOfPosition(node.getStart());
    if (node.kind === ts.SyntaxKind.AnyKeyword) found.push(`dist/${name}:${line + 1}: leaks an \`any\``);
    // The build gives it another name.
    if (ts.isIdentifier(node) && node.text.startsWith("_")) found.push(`dist/${name}:${line + 1}: leaks ${node.text}`);
    ts.forEachChild(node, visit);
  };
  visit(file);
  return found;
}

function sizeComplaints(text) {
  const size = gzipSync(text, { level: 9 }).length;
  console.log(`core: ${text.length} bytes, ${size} compressed, of ${BUDGET}`);
  return size > BUDGET ? [`dist/client.js: ${size} bytes compressed, over ${BUDGET}`] : [];
}
