// `npm run sizes`: how many bytes each source file adds to the compressed core, about.

import { gzipSync } from "node:zlib";
import { build } from "esbuild";
import { lazily, options, scripts } from "./bundle.mjs";

const zipped = (text) => gzipSync(text, { level: 9 }).length;

// With its white space, the bundle says which part came from which file.
const entry = { entryPoints: ["src/index.ts"], plugins: [lazily("")], minifyWhitespace: false };
const { outputFiles } = await build({ ...options, ...entry, minify: false, minifySyntax: true, minifyIdentifiers: true });
const parts = outputFiles[0].text.split(/^\/\/ (?=src\/)/m).slice(1).map((part) => {
  const [file, ...lines] = part.split("\n");
  return { file, code: lines.map((line) => line.trim()).join("").replace(/ ?([=+{}(),:;?<>&|]) ?/g, "$1") };
});
const all = parts.map(({ code }) => code);
const rows = parts.map(({ file }, at) => [zipped(all.join("")) - zipped(all.filter((_, other) => other !== at).join("")), file]);
for (const [bytes, file] of rows.sort(([a], [b]) => b - a)) console.log(String(bytes).padStart(5), file);
for (const [name, text] of Object.entries(await scripts())) console.log(`${name}: ${text.length} bytes, ${zipped(text)} compressed`);
