import { cleanup, configure } from "@testing-library/react";
import { afterEach, vi } from "vitest";
import { useToasts } from "@/lib/toasts";
import { Dialog } from "@/lib/ui/dialog";
import { Popover } from "@/lib/ui/popover";

/** Longest wait for what a part of the page should show, on a busy machine too. */
const WAIT_MS_MAX = 5_000;
configure({ asyncUtilTimeout: WAIT_MS_MAX });

afterEach(() => {
  cleanup();
  useToasts.setState({ toasts: [] });
  vi.unstubAllGlobals();
});

// Windows are there at once, as they are on the page after its first quiet moment.
await Promise.all([Dialog.load(), Popover.load()]);

/** A socket at whose other end nobody is: prices are those of the server's answers. */
class SilentSocket extends EventTarget {
  static readonly OPEN = 1;
  readonly readyState = 0;
  send() {}
  close() {}
}
globalThis.WebSocket = SilentSocket as unknown as typeof WebSocket;
