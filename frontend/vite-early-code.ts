import type { Plugin } from "vite";

/** The page's own code behind the first lines that run. */
const PAGE = "/src/main.tsx";

/** Lets the browser fetch the page's code while the first lines still wait for the server. */
export function earlyCode(): Plugin {
  return {
    name: "gaemi-early-code",
    apply: "build",
    transformIndexHtml: {
      order: "post",
      handler(html, { bundle }) {
        if (bundle === undefined) return [];
        const chunks = Object.values(bundle).filter((file) => file.type === "chunk");
        const page = chunks.find(({ facadeModuleId }) => facadeModuleId?.endsWith(PAGE));
        if (page === undefined) throw new Error(`nothing was built of ${PAGE}`);
        const names = new Set([page.fileName]);
        // A set goes on with what is added to it while it is gone through.
        for (const name of names)
          for (const needed of chunks.find(({ fileName }) => fileName === name)?.imports ?? [])
            names.add(needed);
        return [...names]
          .filter((name) => !html.includes(`"/${name}"`))
          .map((name) => ({
            tag: "link",
            // Only fetched: a `modulepreload` would be compiled at once, and hold the first lines up.
            attrs: { rel: "preload", as: "script", crossorigin: true, href: `/${name}` },
            injectTo: "head" as const,
          }));
      },
    },
  };
}
