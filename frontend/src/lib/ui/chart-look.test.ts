import { TickMarkType, type Time } from "lightweight-charts";
import { expect, test } from "vitest";
import { tickText } from "./chart-look";

const moment = (Date.UTC(2026, 10, 23, 1, 50, 53) / 1000) as Time;

test("moments stand under a chart by the reader's clock, not by that of Greenwich", () => {
  const zone = process.env.TZ;
  try {
    process.env.TZ = "Asia/Seoul";
    expect(tickText(moment, TickMarkType.Time, "en")).toBe("10:50");
    expect(tickText(moment, TickMarkType.TimeWithSeconds, "en-GB")).toBe("10:50:53");
    expect(tickText(moment, TickMarkType.DayOfMonth, "ko")).toBe("23일");
  } finally {
    if (zone === undefined) delete process.env.TZ;
    else process.env.TZ = zone;
  }
});

test("days, which have no moment, are written as the chart writes them", () => {
  expect(tickText("2026-11-23" as Time, TickMarkType.DayOfMonth, "ko")).toBeNull();
});
