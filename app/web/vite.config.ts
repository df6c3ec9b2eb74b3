import react from "@vitejs/plugin-react";
import { loadEnv } from "vite";
import { defineConfig } from "vitest/config";
import { headersPlugin } from "./build/headersPlugin.ts";

export default defineConfig(({ mode }) => {
  const env = { ...loadEnv(mode, process.cwd(), "VITE_"), ...process.env };
  const api = env.VITE_DEV_API ?? "http://127.0.0.1:8000";
  return {
    plugins: [react(), headersPlugin({ api: env.VITE_API_URL ?? "", storage: env.VITE_STORAGE_ORIGINS ?? "" })],
    build: { target: "es2023", sourcemap: false },
    server: {
      host: "127.0.0.1",
      port: 5173,
      strictPort: true,
      proxy: { "/api": api, "/ws": { target: api, ws: true } },
    },
    test: { environment: "node", include: ["src/**/*.test.ts", "build/**/*.test.ts"] },
  };
});
