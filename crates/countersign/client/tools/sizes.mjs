// `npm run sizes`: what each source file costs in the core, minified, in bytes.

import { gzipSync } from "node:zlib";
import { build } from "esbuild";
import { lazily, options, script } from "./bundle.mjs";

const dpop = await script("src/dpop.ts");
const { metafile, outputFiles } = await build({
  ...options,
  entryPoints: ["src/index.ts"],
  plugins: [lazily(dpop)],
  metafile: true,
  outfile: "client.js",
});
const { inputs } = Object.values(metafile.outputs)[0];
const rows = Object.entries(inputs).map(([file, { bytesInOutput }]) => [bytesInOutput, file]);
for (const [bytes, file] of rows.sort(([a], [b]) => b - a)) console.log(String(bytes).padStart(6), file);
const zipped = (text) => gzipSync(text, { level: 9 }).length;
console.log(`core ${outputFiles[0].text.length} bytes, ${zipped(outputFiles[0].text)} compressed`);
console.log(`dpop ${dpop.length} bytes, ${zipped(dpop)} compressed`);
