import { expect, test } from "vitest";
import { brokerSign } from "./broker-sign";

const word = (way?: string, outcome?: string) => brokerSign(way, outcome).word;

test("at the house's own exchange the last comparison says it all", () => {
  expect(word(undefined, "agreed")).toBe("brokerAgrees");
  expect(word(undefined, "differed")).toBe("brokerDiffers");
  expect(word(undefined, "failed")).toBe("brokerSilent");
});

test("an account that was never compared is not said to agree", () => {
  expect(word()).toBe("brokerNotCompared");
  expect(word("connected")).toBe("brokerNotCompared");
  expect(brokerSign("connected", undefined).tone).not.toBe("good");
});

test("where the way to the broker is closed, an older agreement is not told", () => {
  expect(word("key_missing", "agreed")).toBe("brokerNoKey");
  for (const state of ["key_wrong", "key_expired", "key_revoked"])
    expect(word(state, "agreed"), state).toBe("brokerKeyRefused");
  expect(word("account_changed", "agreed")).toBe("brokerOtherAccount");
  expect(word("down", "agreed")).toBe("brokerSilent");
  expect(word("connecting", "agreed")).toBe("brokerConnecting");
  expect(word("connected", "agreed")).toBe("brokerAgrees");
});

test("a word of which this page has not heard is no agreement", () => {
  expect(word(undefined, "unheard_of")).toBe("brokerNotCompared");
});
