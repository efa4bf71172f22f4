// @vitest-environment jsdom
import { screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { useState } from "react";
import { expect, test } from "vitest";
import { show } from "@/testing/render";
import { Tabs } from "./tabs";
import "@/testing/set-up";

const NAMES = ["one", "two", "three"] as const;

function Three() {
  const [value, setValue] = useState<(typeof NAMES)[number]>("one");
  return (
    <Tabs
      label="Numbers"
      value={value}
      onChange={setValue}
      tabs={NAMES.map((name) => ({ value: name, label: name }))}
    >
      <p>{`part ${value}`}</p>
    </Tabs>
  );
}

test("tabs are one stop, and arrows, Home and End lead from one to the other and round", async () => {
  await show(<Three />);
  await userEvent.tab();
  const chosen = () => [document.activeElement?.textContent, screen.getByRole("tabpanel").textContent];
  expect(chosen()).toEqual(["one", "part one"]);
  for (const [key, name] of [
    ["ArrowRight", "two"],
    ["End", "three"],
    ["ArrowRight", "one"],
    ["ArrowLeft", "three"],
    ["Home", "one"],
  ]) {
    await userEvent.keyboard(`{${key}}`);
    expect(chosen()).toEqual([name, `part ${name}`]);
  }
  expect(screen.getByRole("tab", { selected: true }).textContent).toBe("one");
});
