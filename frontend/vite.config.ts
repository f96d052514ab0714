import { fileURLToPath } from "node:url";
import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

/** Where a running node answers while the page is being developed (`npm run dev -w frontend`). */
const node = process.env.COMPUTILITY_NODE_URL ?? "http://127.0.0.1:8000";

export default defineConfig({
  plugins: [react()],
  resolve: { alias: { "@": fileURLToPath(new URL("./src", import.meta.url)) } },
  build: {
    // The node serves this folder under a policy that forbids inline scripts, and data: URLs for assets buy nothing.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 800,
  },
  server: { proxy: { "/v1": node, "/rpc": node } },
  preview: { proxy: { "/v1": node, "/rpc": node } },
});
