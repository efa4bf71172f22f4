// @vitest-environment jsdom
import { screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { beforeEach, expect, test } from "vitest";
import { chosenWatchlist, usePreferences } from "@/lib/preferences";
import { useToasts } from "@/lib/toasts";
import { show } from "@/testing/render";
import { WatchlistChoice } from "./watchlist-choice";
import "@/testing/set-up";

beforeEach(() => {
  useToasts.setState({ toasts: [] });
  usePreferences.setState({
    watchlists: [
      { id: "first", name: "", symbols: ["AAPL"] },
      { id: "second", name: "Seoul", symbols: ["005930.KS"] },
    ],
    watchlistId: "second",
  });
});

const shown = () => chosenWatchlist(usePreferences.getState());

test("a deleted list comes back as it was", async () => {
  await show(<WatchlistChoice />);
  await userEvent.click(screen.getByRole("button", { name: "Delete this list" }));
  expect(shown().id).toBe("first");
  await userEvent.click(await screen.findByRole("button", { name: "Undo" }));
  expect(shown()).toEqual({ id: "second", name: "Seoul", symbols: ["005930.KS"] });
  expect(screen.queryByText(/was deleted/)).toBeNull();
});

test("a new list is empty and shown", async () => {
  await show(<WatchlistChoice />);
  await userEvent.click(screen.getByRole("button", { name: "New list" }));
  await userEvent.type(screen.getByLabelText("Name of the list"), "Dividends");
  await userEvent.click(screen.getByRole("button", { name: "Add the list" }));
  expect(shown()).toMatchObject({ name: "Dividends", symbols: [] });
});
