// @vitest-environment jsdom
import { screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, test, vi } from "vitest";
import { ProblemError } from "@/lib/api/problem";
import { show } from "@/testing/render";
import { Confirm } from "./confirm";
import "@/testing/set-up";

const ask = (part: Partial<Parameters<typeof Confirm>[0]> = {}) => {
  const [onConfirm, onClose] = [vi.fn(), vi.fn()];
  const props = { title: "Cancel all", action: "Cancel all", pending: false, failure: null };
  const node = (
    <Confirm {...props} onConfirm={onConfirm} onClose={onClose} {...part}>
      Take everything back?
    </Confirm>
  );
  return { node, onConfirm, onClose };
};

test("the question is answered by doing it or by going back", async () => {
  const { node, onConfirm, onClose } = ask();
  await show(node);
  expect(screen.getByRole("dialog", { name: "Cancel all" })).toBeTruthy();
  await userEvent.click(screen.getByRole("button", { name: "Cancel all" }));
  await userEvent.click(screen.getByRole("button", { name: "Back" }));
  expect([onConfirm.mock.calls.length, onClose.mock.calls.length]).toEqual([1, 1]);
});

test("what one came for has the focus, so that Enter does it", async () => {
  const { node, onConfirm } = ask();
  await show(node);
  await waitFor(() => expect(document.activeElement?.textContent).toBe("Cancel all"));
  await userEvent.keyboard("{Enter}");
  expect(onConfirm).toHaveBeenCalledOnce();
});

test("while it is being done it is not done again, and a refusal stands beside the question", async () => {
  const failure = new ProblemError(409, "order_not_open", "The order is not open any more");
  await show(ask({ pending: true, failure }).node, "ko");
  expect(screen.getByRole("button", { name: "Cancel all" })).toHaveProperty("disabled", true);
  expect(screen.getByRole("alert").textContent).toMatch(/[가-힣]/);
  expect(screen.getByText("Take everything back?")).toBeTruthy();
});
