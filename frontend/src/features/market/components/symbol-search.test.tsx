// @vitest-environment jsdom
import { screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, test } from "vitest";
import { setPreferences, usePreferences } from "@/lib/preferences";
import { sampleOf } from "@/testing/api-description";
import { MockApi } from "@/testing/mock-api";
import { show } from "@/testing/render";
import { SymbolSearch } from "./symbol-search";
import "@/testing/set-up";

const SEARCH = "GET /api/market/search";

test("a search that failed says so and can be repeated; only an answer says that there is nothing", async () => {
  const server = new MockApi()
    .install()
    .on(SEARCH, { instruments: [], complete: true })
    .refuseOnce(SEARCH, 500, { code: "internal_error" });
  await show(<SymbolSearch instruments={[]} watched={[]} />);
  await userEvent.click(screen.getByRole("combobox"));
  await userEvent.paste("gaemi");
  expect((await screen.findByRole("alert")).textContent).toMatch(/search did not work.*made a mistake/);
  expect(screen.queryByText(/No symbol/)).toBeNull();
  await userEvent.click(screen.getByRole("button", { name: "Try again" }));
  await screen.findByText("No symbol of this server matches.");
  expect(server.sent.filter(({ name }) => name === SEARCH).map(({ query }) => query.q)).toEqual([
    "gaemi",
    "gaemi",
  ]);
});

test("where a source could not be asked, nothing found does not mean that there is nothing", async () => {
  new MockApi().install().on(SEARCH, { instruments: [], complete: false });
  await show(<SymbolSearch instruments={[]} watched={[]} />);
  await userEvent.click(screen.getByRole("combobox"));
  await userEvent.paste("rocket");
  await screen.findByText(/sources cannot be asked now/);
});

test("what was found of an earlier text is not taken for the text that was just typed", async () => {
  const found = {
    ...(sampleOf({ $ref: "#/components/schemas/FoundShare" }) as object),
    symbol: "005930.KS",
    source: "kiwoom",
  };
  new MockApi().install().on(SEARCH, { instruments: [found], complete: true });
  setPreferences({ symbol: "AAPL" });
  await show(<SymbolSearch instruments={[]} watched={[]} />);
  await userEvent.click(screen.getByRole("combobox"));
  await userEvent.paste("samsung");
  await screen.findByText("005930.KS");
  await userEvent.type(screen.getByRole("combobox"), "x{Enter}");
  expect(usePreferences.getState().symbol).toBe("AAPL");
  await userEvent.clear(screen.getByRole("combobox"));
  await userEvent.paste("samsung");
  await screen.findByRole("option", { selected: true });
  await waitFor(async () => {
    await userEvent.keyboard("{Enter}");
    expect(usePreferences.getState().symbol).toBe("005930.KS");
  });
});
