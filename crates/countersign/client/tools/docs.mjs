// The API's documentation, generated from the comments on what is exported.

import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { Application } from "typedoc";
import { root } from "./bundle.mjs";

/** Every file of `docs`, by name. */
export async function docFiles() {
  const folder = await mkdtemp(path.join(tmpdir(), "countersign-docs-"));
  try {
    await generate(folder);
    return await readAll(folder);
  } finally {
    await rm(folder, { recursive: true });
  }
}

async function generate(folder) {
  const app = await Application.bootstrapWithPlugins({
    entryPoints: ["src/index.ts", "src/dpop.ts"].map((file) => path.join(root, file)),
    tsconfig: path.join(root, "tsconfig.json"),
    plugin: ["typedoc-plugin-markdown"],
    name: "countersign",
    readme: "none",
    disableSources: true,
    hideBreadcrumbs: true,
    hideGenerator: true,
    excludeInternal: true,
    excludePrivate: true,
    outputFileStrategy: "modules",
    outputs: [{ name: "markdown", path: folder }],
    logLevel: "Warn",
    treatWarningsAsErrors: true,
    validation: { notExported: true, invalidLink: true, notDocumented: true },
  });
  const project = await app.convert();
  if (!project || app.logger.hasErrors() || app.logger.hasWarnings()) throw new Error("typedoc failed");
  await app.generateOutputs(project);
}

async function readAll(folder) {
  const names = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = names.filter((entry) => entry.isFile()).map((entry) => path.join(entry.parentPath, entry.name));
  const read = files.sort().map(async (file) => [path.relative(folder, file), await readFile(file, "utf8")]);
  return new Map(await Promise.all(read));
}
