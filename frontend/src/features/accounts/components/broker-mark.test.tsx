// @vitest-environment jsdom
import { screen } from "@testing-library/react";
import { beforeEach, expect, test } from "vitest";
import { MockApi } from "@/testing/mock-api";
import { hearNewsInEachTest, practice } from "@/testing/practice";
import { show } from "@/testing/render";
import { BrokerMark } from "./broker-mark";
import "@/testing/set-up";

const CONNECTION = "GET /api/accounts/{id}/connection";
let server: MockApi;

hearNewsInEachTest();
beforeEach(() => {
  server = new MockApi().install();
});

const accountAt = (broker: string) => server.on("GET /api/accounts", { accounts: [{ ...practice, broker }] });
const said = async () => (await screen.findByTestId("broker-state")).textContent;

test("an account without a key says so, whatever was compared", async () => {
  accountAt("alpaca");
  server.on(CONNECTION, { broker: "alpaca", state: "key_missing" });
  await show(<BrokerMark accountId={practice.id} />);
  expect(await said()).toBe("no key");
});

test("play money was not compared until it was, and asks for no way to a broker", async () => {
  accountAt("simulator");
  await show(<BrokerMark accountId={practice.id} />);
  expect(await said()).toBe("not compared yet");
  expect(server.sent.map(({ name }) => name)).not.toContain(CONNECTION);
});

test("what could not be asked is not known", async () => {
  accountAt("simulator");
  server.refuseOnce("GET /api/reconciliations", 503, { code: "service_unavailable" });
  await show(<BrokerMark accountId={practice.id} />);
  expect(await said()).toBe("not known");
});

test("the broker is named on the smallest screen too", async () => {
  accountAt("simulator");
  await show(<BrokerMark accountId={practice.id} />, "ko");
  const mark = (await screen.findByTestId("broker-state")).parentElement;
  expect(mark?.textContent).toBe("증권사대조 전");
  expect(mark?.outerHTML).not.toMatch(/max-(sm|md|lg|xl):hidden/);
});
