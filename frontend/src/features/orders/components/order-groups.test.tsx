// @vitest-environment jsdom
import { screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, test } from "vitest";
import { MockApi } from "@/testing/mock-api";
import { hearNewsInEachTest, practice } from "@/testing/practice";
import { show } from "@/testing/render";
import { OrderGroups } from "./order-groups";
import "@/testing/set-up";

hearNewsInEachTest();

test("groups that could not be loaded are asked for again on a word, and then there are none", async () => {
  new MockApi().install().refuseOnce("GET /api/order-groups", 500, { code: "internal_error" });
  await show(<OrderGroups accountId={practice.id} />);
  expect((await screen.findByRole("alert")).textContent).toMatch(/belong together/);
  await userEvent.click(screen.getByRole("button", { name: "Try again" }));
  await waitFor(() => expect(screen.queryByRole("alert")).toBeNull());
});
