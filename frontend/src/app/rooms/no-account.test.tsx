// @vitest-environment jsdom
import { screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, test, vi } from "vitest";
import { ProblemError } from "@/lib/api/problem";
import { show } from "@/testing/render";
import { NoAccount } from "./no-account";
import "@/testing/set-up";

test("accounts that could not be loaded are said to be missing, and asked for again on a word", async () => {
  const refetch = vi.fn();
  const error = new ProblemError(503, "service_unavailable", "…");
  await show(<NoAccount accounts={{ data: undefined, isError: true, error, refetch }} />);
  expect(screen.getByRole("alert").textContent).toMatch(/Accounts.*cannot do this right now/);
  expect(screen.queryByText("Loading…")).toBeNull();
  await userEvent.click(screen.getByRole("button", { name: "Try again" }));
  expect(refetch).toHaveBeenCalledOnce();
});

test("accounts that are on their way are waited for", async () => {
  await show(<NoAccount accounts={{ data: undefined, isError: false, error: null, refetch: vi.fn() }} />);
  expect(screen.getByText("Loading…")).toBeTruthy();
  expect(screen.queryByRole("alert")).toBeNull();
});
