// `npm run build`: writes `dist` and the generated part of `docs`.

import { mkdir, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { distFiles, root } from "./bundle.mjs";
import { docFiles } from "./docs.mjs";

await replace("dist", await distFiles());
await replace("docs", await docFiles());

async function replace(folder, files) {
  await rm(path.join(root, folder), { recursive: true, force: true });
  for (const [name, text] of files) {
    const target = path.join(root, folder, name);
    await mkdir(path.dirname(target), { recursive: true });
    await writeFile(target, text);
  }
}
