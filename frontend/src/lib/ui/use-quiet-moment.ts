import { useEffect, useState } from "react";
import { useEventsReady } from "@/lib/events-status";
import { QUIET_WAIT_MS_MAX } from "@/lib/limits";

/** Whether the first screen stands and the browser has had time: what nobody waits for begins then. */
export function useQuietMoment(): boolean {
  const ready = useEventsReady();
  const [quiet, setQuiet] = useState(false);
  useEffect(() => {
    if (!ready || quiet) return;
    // Not every browser knows the first one.
    if (!("requestIdleCallback" in window)) {
      const timer = setTimeout(() => setQuiet(true), QUIET_WAIT_MS_MAX);
      return () => clearTimeout(timer);
    }
    const idle = window.requestIdleCallback(() => setQuiet(true), { timeout: QUIET_WAIT_MS_MAX });
    return () => window.cancelIdleCallback(idle);
  }, [ready, quiet]);
  return quiet;
}
