// `npm run sizes`: what each source file costs in the core, in bytes as bundled, before the last pass and compression.

import { gzipSync } from "node:zlib";
import { build } from "esbuild";
import { lazily, options, scripts } from "./bundle.mjs";

const plugins = [lazily("")];
const { metafile } = await build({ ...options, entryPoints: ["src/index.ts"], outfile: "client.js", plugins, metafile: true });
const { inputs } = Object.values(metafile.outputs)[0];
const rows = Object.entries(inputs).map(([file, { bytesInOutput }]) => [bytesInOutput, file]);
for (const [bytes, file] of rows.sort(([a], [b]) => b - a)) console.log(String(bytes).padStart(6), file);
for (const [name, text] of Object.entries(await scripts())) {
  console.log(`${name}: ${text.length} bytes, ${gzipSync(text, { level: 9 }).length} compressed`);
}
