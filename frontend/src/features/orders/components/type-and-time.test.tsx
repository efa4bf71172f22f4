// @vitest-environment jsdom
import { screen, within } from "@testing-library/react";
import { expect, test } from "vitest";
import type { Capabilities } from "@/lib/api/types";
import { show } from "@/testing/render";
import { EMPTY_DRAFT } from "../hooks/draft";
import { TypeAndTime } from "./ticket-fields";
import "@/testing/set-up";

const fields = {
  draft: EMPTY_DRAFT,
  symbol: "AAPL",
  currency: "USD",
  onChange: () => {},
  errorOf: () => undefined,
} as const;

const choices = (label: string) =>
  within(screen.getByLabelText(label))
    .getAllByRole("option")
    .map((option) => (option as HTMLOptionElement).value);

test("what the broker does not take is not offered", async () => {
  const capabilities = { orderTypes: ["market", "limit"], timesInForce: ["day", "ioc"] } as Capabilities;
  await show(<TypeAndTime {...fields} capabilities={capabilities} />);
  expect(choices("Type")).toEqual(["market", "limit"]);
  expect(choices("Valid")).toEqual(["day", "ioc"]);
});

test("while it is not known, everything is offered", async () => {
  await show(<TypeAndTime {...fields} capabilities={undefined} />);
  expect(choices("Type")).toHaveLength(5);
});

test("what is chosen already stays to be seen", async () => {
  const capabilities = { orderTypes: ["market"], timesInForce: ["day"] } as Capabilities;
  await show(
    <TypeAndTime {...fields} draft={{ ...EMPTY_DRAFT, type: "stop" }} capabilities={capabilities} />,
  );
  expect(choices("Type")).toEqual(["market", "stop"]);
});
