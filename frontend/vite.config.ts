import { fileURLToPath } from "node:url";
import tailwindcss from "@tailwindcss/vite";
import react from "@vitejs/plugin-react";
import { defineConfig } from "vitest/config";
import { earlyCode } from "./vite-early-code";
import { shellCache } from "./vite-shell-cache";

const backend = process.env.GAEMI_URL ?? "http://127.0.0.1:8000";

/** What the first lines of the page need runs while all else is still on its way. */
const FIRST_LINES = {
  name: "start",
  test: /src\/lib\/(api\/early|limits|preferences|session|random|i18n\/load)\.ts|node_modules\/zustand/,
  priority: 2,
};

/** Parts that come when they are wanted: charts, the numbers behind figures, the texts of a language. */
const ON_DEMAND = /chart|origin|bars|curve|i18n\/(en|ko)\//;

/** The page's own modules that several of its parts share: one file in the place of thirty. */
const FIRST_SCREEN = {
  name: "page",
  test: (id: string) => /\/src\/(lib|features|app)\//.test(id) && !ON_DEMAND.test(id),
  minShareCount: 2,
  priority: 1,
};

/** `texts-ko-` where a chunk is the texts of a language. */
function languageOf(module: string | null | undefined): string {
  const language = /i18n\/(en|ko)\/index\.ts$/.exec(module ?? "")?.[1];
  return language === undefined ? "" : `texts-${language}-`;
}

export default defineConfig({
  plugins: [react(), tailwindcss(), earlyCode(), shellCache()],
  resolve: { alias: { "@": fileURLToPath(new URL("./src", import.meta.url)) } },
  build: {
    // Nothing is inlined: the page runs under a policy that allows only files of its own host.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    rolldownOptions: {
      // The texts of a language are fetched by name of their own: the budget of the first screen counts them.
      output: {
        codeSplitting: { groups: [FIRST_LINES, FIRST_SCREEN] },
        chunkFileNames: ({ facadeModuleId }) => `assets/${languageOf(facadeModuleId)}[name]-[hash].js`,
      },
    },
  },
  server: {
    proxy: {
      "/api": { target: backend },
      "/ws": { target: backend, ws: true },
    },
  },
  // Longer than any wait inside a test, so that the wait says what it waited for.
  test: { include: ["src/**/*.test.{ts,tsx}"], testTimeout: 20_000, maxWorkers: "100%" },
});
