import { expect, test } from "vitest";
import { Pace } from "./pace";

const LIMITS = { share: 0.1, waitMsMin: 100, waitMsMax: 1_000 };

test("cheap work is done as often as allowed", () => {
  const pace = new Pace(LIMITS);
  expect(pace.waitMs).toBe(100);
  pace.took(2);
  expect(pace.waitMs).toBe(100);
});

test("dear work takes no more than its share of the time", () => {
  const pace = new Pace(LIMITS);
  pace.took(40);
  expect(pace.waitMs).toBe(400);
});

test("one slow time does not slow everything down, and many do, up to a limit", () => {
  const pace = new Pace(LIMITS);
  pace.took(20);
  pace.took(70);
  expect(pace.waitMs).toBeCloseTo(350);
  for (let time = 0; time < 50; time += 1) pace.took(500);
  expect(pace.waitMs).toBe(1_000);
});
