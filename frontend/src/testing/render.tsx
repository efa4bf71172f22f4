import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { render } from "@testing-library/react";
import i18next from "i18next";
import type { ReactNode } from "react";
import type { Language } from "@/lib/api/types";
import { setUpTexts, speak } from "@/lib/i18n";
import { Toasts } from "@/lib/ui/toasts";

/** Shows a part of the page as it stands in the page: with texts, a memory for answers, and notices. */
export async function show(part: ReactNode, language: Language = "en") {
  if (!i18next.isInitialized) await setUpTexts();
  await speak(language);
  const queries = new QueryClient({ defaultOptions: { queries: { retry: false } } });
  const shown = render(
    <QueryClientProvider client={queries}>
      {part}
      <Toasts />
    </QueryClientProvider>,
  );
  return { ...shown, queries };
}
