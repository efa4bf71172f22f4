import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { App } from "@/app/app";
import "@/app/styles.css";
import { setUpTexts } from "@/lib/i18n";
import { restoreSession } from "@/lib/session";

await setUpTexts();
void restoreSession();

const root = document.getElementById("root");
if (root === null) throw new Error("index.html has no #root");
createRoot(root).render(
  <StrictMode>
    <App />
  </StrictMode>,
);

// Only where the page was built and is served over TLS or from this machine: elsewhere browsers know no service workers.
if (import.meta.env.PROD && "serviceWorker" in navigator) {
  window.addEventListener("load", () => {
    // The page works without; only opening it offline does not.
    void navigator.serviceWorker.register("/sw.js").catch(() => {});
  });
}
