import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { App } from "@/app/app";
import { takeFirstAnswers } from "@/app/queries";
import { setUpTexts } from "@/lib/i18n";
import { EARLY_WAIT_MS_MAX } from "@/lib/limits";

await setUpTexts();
const wait = new Promise((resolve) => setTimeout(resolve, EARLY_WAIT_MS_MAX));
await Promise.race([takeFirstAnswers().catch(() => {}), wait]);

const root = document.getElementById("root");
if (root === null) throw new Error("index.html has no #root");
createRoot(root).render(
  <StrictMode>
    <App />
  </StrictMode>,
);

// Only where the page was built and is served over TLS or from this machine: elsewhere browsers know no service workers.
if (import.meta.env.PROD && "serviceWorker" in navigator) {
  const register = () => {
    // The page works without; only opening it offline does not.
    void navigator.serviceWorker.register("/sw.js").catch(() => {});
  };
  if (document.readyState === "complete") register();
  else window.addEventListener("load", register);
}
