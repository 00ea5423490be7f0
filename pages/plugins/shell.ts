/** Tells the service worker which files are the shell, and which build they are of. */
import { createHash } from "node:crypto";
import type { Plugin } from "vite";

const NOT_SHELL = /^(sw\.js|licences\.txt)$|\.map$/;

export function shell(): Plugin {
  return {
    name: "holdfast-shell",
    apply: "build",
    enforce: "post",
    generateBundle: {
      order: "post",
      handler(_, bundle) {
        const worker = bundle["sw.js"];
        if (worker?.type !== "chunk") throw new Error("sw.js is missing: vite.config.ts names it");
        const files = Object.keys(bundle).filter((name) => !NOT_SHELL.test(name)).sort();
        const digest = createHash("sha256");
        for (const name of files) {
          const file = bundle[name];
          digest.update(name).update(file?.type === "chunk" ? file.code : (file?.source ?? ""));
        }
        const list = JSON.stringify(["./", ...files.filter((name) => name !== "index.html")]);
        worker.code = worker.code
          .replace("__SHELL_FILES__", list)
          .replace("__SHELL_VERSION__", JSON.stringify(digest.digest("hex").slice(0, 16)));
      },
    },
  };
}
