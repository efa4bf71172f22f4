// @vitest-environment jsdom
import { beforeEach, expect, test } from "vitest";
import { addWatchlist, setPreferences, usePreferences } from "./preferences";

const STORED_AS = "gaemi.preferences";

/** What another tab does: it writes, and this one is told. */
function writeElsewhere(change: Record<string, unknown>): void {
  const { state, version } = JSON.parse(localStorage.getItem(STORED_AS) ?? "{}");
  localStorage.setItem(STORED_AS, JSON.stringify({ state: { ...state, ...change }, version }));
  window.dispatchEvent(new StorageEvent("storage", { key: STORED_AS }));
}

beforeEach(() =>
  setPreferences({ watchlists: [{ id: "first", name: "", symbols: ["AAPL"] }], symbol: "AAPL" }),
);

test("a list that another tab has made is here as well, and is not undone", () => {
  const ours = usePreferences.getState().watchlists;
  writeElsewhere({ watchlists: [...ours, { id: "other", name: "Chips", symbols: ["NVDA"] }] });
  addWatchlist("Cars");
  expect(usePreferences.getState().watchlists.map(({ name }) => name)).toEqual(["", "Chips", "Cars"]);
});

test("each tab shows its own share and account", () => {
  setPreferences({ accountId: "mine" });
  writeElsewhere({ symbol: "IBM", accountId: "yours", theme: "dark" });
  expect(usePreferences.getState()).toMatchObject({ symbol: "AAPL", accountId: "mine", theme: "dark" });
});
