/** What the head of the page says of an account's broker, and whether somebody should look. */
export interface BrokerSign {
  word:
    | "brokerAgrees"
    | "brokerDiffers"
    | "brokerSilent"
    | "brokerNotCompared"
    | "brokerNoKey"
    | "brokerKeyRefused"
    | "brokerOtherAccount"
    | "brokerConnecting";
  tone: "good" | "warn" | "off";
}

const sign = (word: BrokerSign["word"], tone: BrokerSign["tone"] = "warn"): BrokerSign => ({ word, tone });

/** Where the way to the broker is not open, that is what there is to say: a comparison of before says nothing of now. */
const WAYS: Readonly<Record<string, BrokerSign>> = {
  key_missing: sign("brokerNoKey"),
  key_wrong: sign("brokerKeyRefused"),
  key_expired: sign("brokerKeyRefused"),
  key_revoked: sign("brokerKeyRefused"),
  account_changed: sign("brokerOtherAccount"),
  down: sign("brokerSilent"),
  connecting: sign("brokerConnecting", "off"),
};

const OUTCOMES: Readonly<Record<string, BrokerSign>> = {
  agreed: sign("brokerAgrees", "good"),
  differed: sign("brokerDiffers"),
  failed: sign("brokerSilent"),
};

/** By the state of the way to the broker, where there is a way, and by the outcome of the last comparison, if there was one. */
export function brokerSign(way: string | undefined, outcome: string | undefined): BrokerSign {
  const closed = way === undefined ? undefined : WAYS[way];
  if (closed !== undefined) return closed;
  return (outcome === undefined ? undefined : OUTCOMES[outcome]) ?? sign("brokerNotCompared", "off");
}
