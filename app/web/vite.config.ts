import react from "@vitejs/plugin-react";
import { defineConfig } from "vitest/config";
import { devConfig } from "./build/devConfig.ts";

const api = process.env.VITE_DEV_API ?? "http://127.0.0.1:8000";

// One build for every stack: what an .env file says gets into none.
export default defineConfig({
  envDir: false,
  plugins: [react(), devConfig()],
  build: { target: "es2023", sourcemap: false },
  server: {
    host: "127.0.0.1",
    port: 5173,
    strictPort: true,
    proxy: { "/api": api, "/ws": { target: api, ws: true } },
  },
  test: { environment: "node", include: ["src/**/*.test.ts", "build/**/*.test.ts"] },
});
