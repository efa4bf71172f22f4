import { cleanup, configure } from "@testing-library/react";
import { afterEach, vi } from "vitest";
import { useToasts } from "@/lib/toasts";

/** Longest wait for what a part of the page should show, on a busy machine too. */
const WAIT_MS_MAX = 5_000;
configure({ asyncUtilTimeout: WAIT_MS_MAX });

afterEach(() => {
  cleanup();
  useToasts.setState({ toasts: [] });
  vi.unstubAllGlobals();
});

// jsdom has the element and neither its opening nor its closing.
HTMLDialogElement.prototype.showModal ??= function showModal(this: HTMLDialogElement) {
  this.open = true;
};
HTMLDialogElement.prototype.close ??= function close(this: HTMLDialogElement) {
  this.open = false;
};

/** A socket at whose other end nobody is: prices are those of the server's answers. */
class SilentSocket extends EventTarget {
  static readonly OPEN = 1;
  readonly readyState = 0;
  send() {}
  close() {}
}
globalThis.WebSocket = SilentSocket as unknown as typeof WebSocket;
