import { useEffect, useRef } from "react";

/** Fields that are chosen, not written in. */
const CHOSEN: readonly string[] = ["radio", "checkbox"];

/** Whether a key pressed here is meant as text. */
function takesText(target: EventTarget | null): boolean {
  if (target instanceof HTMLInputElement) return !CHOSEN.includes(target.type);
  return (
    target instanceof HTMLElement && (target.isContentEditable || /^(TEXTAREA|SELECT)$/.test(target.tagName))
  );
}

/** Whether a press is a shortcut: a bare key, outside of fields and of modal windows. */
export function isShortcut(
  event: Pick<KeyboardEvent, "ctrlKey" | "metaKey" | "altKey" | "target" | "defaultPrevented">,
): boolean {
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return false;
  return !takesText(event.target) && document.querySelector('[role="dialog"]') === null;
}

/**
 * The key that was pressed, as it is printed on it: where Korean letters are typed, the key of B types ㅠ and is meant all the
 * same.
 */
export function keyOf({ key, code }: Pick<KeyboardEvent, "key" | "code">): string {
  const typed = key.toLowerCase();
  const isLatin = /^[ -~]+$/.test(typed) && typed !== "process";
  return isLatin ? typed : (/^Key([A-Z])$/.exec(code)?.[1]?.toLowerCase() ?? typed);
}

/** Runs the handler of a key while the caller is on the screen. Keys are named as they are typed, in small letters. */
export function useShortcuts(handlers: Readonly<Record<string, () => void>>): void {
  const latest = useRef(handlers);
  latest.current = handlers;
  useEffect(() => {
    const onKeyDown = (event: KeyboardEvent) => {
      const handler = isShortcut(event) ? latest.current[keyOf(event)] : undefined;
      if (handler === undefined) return;
      event.preventDefault();
      handler();
    };
    window.addEventListener("keydown", onKeyDown);
    return () => window.removeEventListener("keydown", onKeyDown);
  }, []);
}
