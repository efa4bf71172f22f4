import type {
  Account,
  Capabilities,
  Currency,
  OrderType,
  PlaceGroup,
  PlaceOrder,
  Side,
  TimeInForce,
} from "@/lib/api/types";
import { type Decimal, parseDecimal, plainText } from "@/lib/decimal";
import { MINOR_DIGITS } from "@/lib/format";

/** An order as it stands in the ticket: what was typed, not yet what it means. */
export interface Draft {
  side: Side;
  type: OrderType;
  timeInForce: TimeInForce;
  /** The last day, with `gtd`. */
  expireDate: string;
  /** Whether shares are typed or an amount of money. */
  sizing: "shares" | "money";
  quantity: string;
  money: string;
  limitPrice: string;
  stopPrice: string;
  trailIn: "amount" | "percent";
  trail: string;
  /** A purchase with its exits (a bracket), or the exits of shares that are held (one cancels the other). */
  exits: boolean;
  takeProfit: string;
  stopLoss: string;
  /** Whether another order waits for this one to be filled (one triggers the other), and on which terms. */
  follows: boolean;
  thenSide: Side;
  thenType: "limit" | "stop";
  thenPrice: string;
}

export const EMPTY_DRAFT: Draft = {
  side: "buy",
  type: "market",
  timeInForce: "day",
  expireDate: "",
  sizing: "shares",
  quantity: "",
  money: "",
  limitPrice: "",
  stopPrice: "",
  trailIn: "percent",
  trail: "",
  exits: false,
  takeProfit: "",
  stopLoss: "",
  follows: false,
  thenSide: "sell",
  thenType: "limit",
  thenPrice: "",
};

/** What a draft asks the server for. */
export type Wish =
  | { kind: "order"; order: PlaceOrder }
  /** Several orders that belong together; `order` is the one that is estimated. */
  | { kind: "group"; group: PlaceGroup; order: PlaceOrder };

/** Whether the draft only sets the exits of shares that are held: then it has no price of its own. */
export function isExitsOnly(draft: Pick<Draft, "side" | "exits">): boolean {
  return draft.exits && draft.side === "sell";
}

/** Whether the draft is of several orders: then they are of whole shares. */
const isGroup = (draft: Pick<Draft, "exits" | "follows">) => draft.exits || draft.follows;

export const hasLimit = (type: OrderType) => type === "limit" || type === "stop_limit";
export const hasStop = (type: OrderType) => type === "stop" || type === "stop_limit";
const waits = (type: OrderType) => hasStop(type) || type === "trailing_stop";

const RESTING: readonly TimeInForce[] = ["day", "gtc", "gtd"];
const EVERY: readonly TimeInForce[] = ["day", "gtc", "gtd", "ioc", "fok", "opg", "cls"];

/** How long an order of a type may stay: what waits for a price can neither be immediate nor meant for an auction. */
export function timesInForce(draft: Pick<Draft, "type" | "sizing">): readonly TimeInForce[] {
  if (draft.sizing === "money") return ["day"];
  return waits(draft.type) ? RESTING : EVERY;
}

/** What of the page's own list a broker takes; what is chosen stays to be seen. */
export function offered<Value extends string>(
  all: readonly Value[],
  taken: readonly string[] | undefined,
  chosen: Value,
): Value[] {
  return all.filter((value) => taken === undefined || taken.includes(value) || value === chosen);
}

/** Which further orders an account's broker works beside one of a side; while that is not known, all. */
export function furtherOrders(side: Side, broker: Pick<Capabilities, "groups"> | undefined) {
  const works = (kind: PlaceGroup["kind"]) => broker === undefined || broker.groups.includes(kind);
  return { exits: works(side === "buy" ? "bracket" : "oco"), follows: works("oto") };
}

/** The draft without the further orders that the account's broker does not work. */
export function workable(draft: Draft, broker: Pick<Capabilities, "groups"> | undefined): Draft {
  const { exits, follows } = furtherOrders(draft.side, broker);
  return { ...draft, exits: draft.exits && exits, follows: draft.follows && follows };
}

/** Parts of shares and amounts of money are for American market and limit orders of the day. */
export function allowsParts(draft: Draft, currency: Currency): boolean {
  return currency === "USD" && !waits(draft.type) && draft.timeInForce === "day" && !isGroup(draft);
}

export function allowsMoney(draft: Pick<Draft, "type" | "exits" | "follows">, currency: Currency): boolean {
  return currency === "USD" && !waits(draft.type) && !isGroup(draft);
}

/** The draft with its parts brought into line with each other after a change. */
export function changed(draft: Draft, part: Partial<Draft>, currency: Currency): Draft {
  const next = { ...draft, ...part };
  if (part.side !== undefined && part.side !== draft.side) next.thenSide = draft.side;
  // A group is of one kind.
  if (part.exits) next.follows = false;
  if (part.follows) next.exits = false;
  if (next.sizing === "money" && !allowsMoney(next, currency)) next.sizing = "shares";
  if (!timesInForce(next).includes(next.timeInForce)) next.timeInForce = "day";
  return next;
}

/** Shares typed: above zero, and whole unless parts are allowed. */
export function readQuantity(text: string, parts = false): Decimal | null {
  const quantity = parseDecimal(text);
  if (quantity === null || !quantity.greaterThan(0)) return null;
  return parts || quantity.isInteger() ? quantity : null;
}

export function readPrice(text: string): Decimal | null {
  const price = parseDecimal(text);
  return price?.greaterThan(0) ? price : null;
}

function readMoney(text: string, currency: Currency): Decimal | null {
  const money = readPrice(text);
  return money !== null && money.decimalPlaces() <= MINOR_DIGITS[currency] ? money : null;
}

/** The fields of a draft that are missing or cannot be read. */
export type DraftField =
  | "quantity"
  | "money"
  | "limitPrice"
  | "stopPrice"
  | "trail"
  | "expireDate"
  | "takeProfit"
  | "stopLoss"
  | "thenPrice";

export function missingFields(draft: Draft, currency: Currency): DraftField[] {
  const exitsOnly = isExitsOnly(draft);
  const byMoney = draft.sizing === "money";
  const checks: [DraftField, boolean, boolean][] = [
    ["quantity", !byMoney, readQuantity(draft.quantity, allowsParts(draft, currency)) !== null],
    ["money", byMoney, readMoney(draft.money, currency) !== null],
    ["limitPrice", !exitsOnly && hasLimit(draft.type), readPrice(draft.limitPrice) !== null],
    ["stopPrice", !exitsOnly && hasStop(draft.type), readPrice(draft.stopPrice) !== null],
    ["trail", !exitsOnly && draft.type === "trailing_stop", readPrice(draft.trail) !== null],
    ["expireDate", !exitsOnly && draft.timeInForce === "gtd", draft.expireDate !== ""],
    ["takeProfit", draft.exits, readPrice(draft.takeProfit) !== null],
    ["stopLoss", draft.exits, readPrice(draft.stopLoss) !== null],
    ["thenPrice", draft.follows, readPrice(draft.thenPrice) !== null],
  ];
  return checks.filter(([, wanted, given]) => wanted && !given).map(([field]) => field);
}

const plain = (text: string) => plainText(parseDecimal(text) as Decimal);

/** The prices that an order of this type has. */
function pricesOf(draft: Draft) {
  const { type } = draft;
  return {
    ...(hasLimit(type) && { limitPrice: plain(draft.limitPrice) }),
    ...(hasStop(type) && { stopPrice: plain(draft.stopPrice) }),
    ...(type === "trailing_stop" &&
      (draft.trailIn === "percent"
        ? { trailPercent: plain(draft.trail) }
        : { trailAmount: plain(draft.trail) })),
  };
}

function lifetimeOf(draft: Draft) {
  const { timeInForce, expireDate } = draft;
  return timeInForce === "gtd" ? { timeInForce, expireDate } : { timeInForce };
}

/** What a draft means, or null while something is missing. */
export function wishOf(draft: Draft, account: Pick<Account, "id" | "currency">, symbol: string): Wish | null {
  if (missingFields(draft, account.currency).length > 0) return null;
  const shared = { accountId: account.id, symbol };
  if (draft.exits) return withExits(draft, shared);
  const { side, type } = draft;
  const size =
    draft.sizing === "money" ? { notional: plain(draft.money) } : { quantity: plain(draft.quantity) };
  const terms = { side, type, ...lifetimeOf(draft), ...pricesOf(draft) };
  const order: PlaceOrder = { ...shared, ...terms, ...size };
  if (!draft.follows) return { kind: "order", order };
  const price = plain(draft.thenPrice);
  const then = {
    side: draft.thenSide,
    ...(draft.thenType === "limit" ? { limitPrice: price } : { stopPrice: price }),
  };
  const quantity = plain(draft.quantity);
  const group: PlaceGroup = { ...shared, kind: "oto", quantity, entry: terms, then };
  return { kind: "group", group, order };
}

/** A purchase with its exits, or the exits alone. */
function withExits(draft: Draft, shared: { accountId: string; symbol: string }): Wish {
  const quantity = plain(draft.quantity);
  const takeProfit = { limitPrice: plain(draft.takeProfit) };
  const stopLoss = { stopPrice: plain(draft.stopLoss) };
  if (isExitsOnly(draft)) {
    const order: PlaceOrder = {
      ...shared,
      side: "sell",
      type: "limit",
      timeInForce: "gtc",
      quantity,
      ...takeProfit,
    };
    return { kind: "group", group: { ...shared, kind: "oco", quantity, takeProfit, stopLoss }, order };
  }
  const entry = { type: draft.type, ...lifetimeOf(draft), ...pricesOf(draft) };
  const order: PlaceOrder = { ...shared, side: "buy", ...entry, quantity };
  return {
    kind: "group",
    group: { ...shared, kind: "bracket", quantity, entry, takeProfit, stopLoss },
    order,
  };
}

/** How many shares a smaller try has, when a try of `quantity` would reserve `held` and only `target` may be. */
export function fewerShares(quantity: Decimal, held: Decimal, target: Decimal): Decimal {
  const fitting = quantity.times(target).dividedBy(held).toDecimalPlaces(0, 1);
  // Rounding alone must not stand still.
  return fitting.lessThan(quantity) ? fitting : quantity.minus(1);
}
