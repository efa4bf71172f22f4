import { expect, test } from "vitest";
import { chosenWatchlist, moved, withWatchlists } from "./preferences";

test("the one watchlist of an older page becomes the first of several", () => {
  const before = { language: "ko", watchlist: ["AAPL"], symbol: "AAPL" };
  expect(withWatchlists(before)).toEqual({
    language: "ko",
    symbol: "AAPL",
    watchlists: [{ id: "first", name: "", symbols: ["AAPL"] }],
    watchlistId: "first",
  });
});

test("a symbol moves to another place, and not beyond the ends", () => {
  const list = ["A", "B", "C"];
  expect(moved(list, "A", 2)).toEqual(["B", "C", "A"]);
  expect(moved(list, "C", 0)).toEqual(["C", "A", "B"]);
  expect(moved(list, "B", 99)).toEqual(["A", "C", "B"]);
  expect(moved(list, "B", -1)).toEqual(["B", "A", "C"]);
});

test("a watchlist that is not there any more leaves the first one", () => {
  const watchlists = [{ id: "first", name: "", symbols: null }];
  expect(chosenWatchlist({ watchlists, watchlistId: "gone" }).id).toBe("first");
});
