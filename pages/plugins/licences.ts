/** The licences of what is built into the pages, as these ask for. */
import { readFileSync } from "node:fs";
import type { Plugin } from "vite";

const BUILT_IN = ["preact", "@preact/signals", "@preact/signals-core", "uplot"];

function licence(name: string): string {
  const folder = `node_modules/${name}`;
  const { version } = JSON.parse(readFileSync(`${folder}/package.json`, "utf8")) as { version: string };
  return `${name} ${version}\n\n${readFileSync(`${folder}/LICENSE`, "utf8").trim()}\n`;
}

export function licences(): Plugin {
  return {
    name: "holdfast-licences",
    apply: "build",
    generateBundle() {
      const source = BUILT_IN.map(licence).join(`\n${"-".repeat(72)}\n\n`);
      this.emitFile({ type: "asset", fileName: "licences.txt", source });
    },
  };
}
