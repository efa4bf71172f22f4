import { setPreferences, usePreferences } from "@/lib/preferences";
import { showToast } from "@/lib/toasts";

/** Changes the watchlists, says so, and offers the way back. */
export function changeWatchlists(title: string, change: () => void): void {
  const { watchlists, watchlistId } = usePreferences.getState();
  change();
  showToast({ tone: "plain", title, undo: () => setPreferences({ watchlists, watchlistId }) });
}
