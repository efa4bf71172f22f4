import { expect, test } from "vitest";
import { randomUuid } from "./random";

test("keys are random UUIDs of version 4", () => {
  const keys = Array.from({ length: 100 }, randomUuid);
  expect(new Set(keys).size).toBe(keys.length);
  for (const key of keys)
    expect(key).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
});
