import { defineConfig } from "vite";
import { icons } from "./plugins/icons.ts";
import { licences } from "./plugins/licences.ts";
import { shell } from "./plugins/shell.ts";

/** Where `npm run dev` finds an API: a real one, or `python -m tests.ui.fake_api`. */
const API = process.env.HOLDFAST_API ?? "http://127.0.0.1:9480";

export default defineConfig({
  base: "./",
  plugins: [icons(), licences(), shell()],
  server: { proxy: { "/api": API, "/emergency.json": API } },
  build: {
    outDir: "../holdfast/ui/static",
    emptyOutDir: true,
    target: "es2022",
    assetsInlineLimit: 0, // a data: URL would need an exception in the policy
    cssCodeSplit: false,
    modulePreload: false,
    rolldownOptions: {
      input: { index: "index.html", sw: "worker/service_worker.ts" },
      output: {
        entryFileNames: (chunk) => (chunk.name === "sw" ? "sw.js" : "assets/[name]-[hash].js"),
      },
    },
  },
});
