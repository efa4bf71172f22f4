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
