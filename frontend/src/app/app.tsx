import { QueryClientProvider } from "@tanstack/react-query";
import { RouterProvider } from "@tanstack/react-router";
import { Component, type ReactNode, useEffect, useLayoutEffect } from "react";
import { useTranslation } from "react-i18next";
import { Welcome } from "@/features/auth/components/welcome";
import { usePreferences } from "@/lib/preferences";
import { useSession } from "@/lib/session";
import { Button } from "@/lib/ui/button";
import { Toasts } from "@/lib/ui/toasts";
import { LanguageSwitch, useRisingColour } from "./display-settings";
import { Brand } from "./header";
import { queries } from "./queries";
import { router } from "./router";

/** Nothing of one user's data may be left for the next. */
function useForgetOnSignOut(userId: string | null): void {
  useEffect(() => {
    if (userId !== null) return () => queries.clear();
  }, [userId]);
}

export function App() {
  const session = useSession();
  const rising = useRisingColour();
  const theme = usePreferences((state) => state.theme);
  useForgetOnSignOut(session.user?.id ?? null);
  // Before the effects of the parts: the chart reads its colours from the document.
  useLayoutEffect(() => {
    document.documentElement.dataset.rising = rising;
    document.documentElement.dataset.theme = theme;
  }, [rising, theme]);
  return (
    <QueryClientProvider client={queries}>
      <Crash>
        {session.status === "signedIn" ? (
          <RouterProvider router={router} />
        ) : (
          <Entrance status={session.status} />
        )}
        <Toasts />
      </Crash>
    </QueryClientProvider>
  );
}

function Entrance({ status }: { status: "restoring" | "unreachable" | "anonymous" }) {
  const { t } = useTranslation();
  return (
    <div className="flex min-h-dvh flex-col">
      <header className="flex items-center justify-between px-5 py-3">
        <Brand />
        <LanguageSwitch />
      </header>
      {status === "anonymous" ? (
        <Welcome />
      ) : (
        <p role="status" className="m-auto text-soft">
          {t(status === "restoring" ? "app.loading" : "app.unreachable")}
        </p>
      )}
    </div>
  );
}

/** The last net: a defect in one part shows a sentence instead of a white page. */
class Crash extends Component<{ children: ReactNode }, { crashed: boolean }> {
  override state = { crashed: false };

  static getDerivedStateFromError() {
    return { crashed: true };
  }

  override render() {
    return this.state.crashed ? <CrashNote /> : this.props.children;
  }
}

function CrashNote() {
  const { t } = useTranslation();
  return (
    <div role="alert" className="m-auto flex flex-col items-center gap-3 p-10">
      <p>{t("app.crashed")}</p>
      <Button look="primary" onClick={() => window.location.reload()}>
        {t("app.reload")}
      </Button>
    </div>
  );
}
