import type { QueryClient } from "@tanstack/react-query";
import i18next from "i18next";
import type { Account, AccountBalance, Balance, Fill, Incident, Order } from "@/lib/api/types";
import { withBalance } from "@/lib/balances";
import { addFill } from "@/lib/fills";
import { formatPrice, formatQuantity } from "@/lib/format";
import { incidentWord, reasonSentence } from "@/lib/i18n/sentences";
import { applyOrder, isOpen } from "@/lib/order-lists";
import { isOwnOrder } from "@/lib/own-orders";
import { queryKeys } from "@/lib/query-keys";
import { quotes } from "@/lib/quotes/socket";
import { showToast } from "@/lib/toasts";
import type { ServerSentEvent } from "./sse";

/** One fill comes as several events; what is computed from all of them is asked for once. */
const RECOUNT_WAIT_MS = 120;
const recounts = new Map<string, ReturnType<typeof setTimeout>>();

function recountSoon(queries: QueryClient, accountId: string): void {
  // Not put off by the next: with a busy program it would never come.
  if (recounts.has(accountId)) return;
  const timer = setTimeout(() => {
    recounts.delete(accountId);
    for (const queryKey of [queryKeys.holdings(accountId), queryKeys.margin(accountId)])
      void queries.invalidateQueries({ queryKey });
  }, RECOUNT_WAIT_MS);
  recounts.set(accountId, timer);
}

function sideWord(side: "buy" | "sell"): string {
  return i18next.t(side === "buy" ? "orders.bought" : "orders.sold");
}

function announceEnd(order: Order): void {
  const words = {
    side: i18next.t(`ticket.${order.side}`),
    quantity: formatQuantity(order.quantity),
    symbol: order.symbol,
  };
  const reason = reasonSentence(order);
  const detail = reason === null ? {} : { detail: reason };
  if (order.state === "cancelled") {
    showToast({ tone: "plain", title: i18next.t("orders.cancelledToast", words), ...detail });
  }
  if (order.state === "expired") showToast({ tone: "plain", title: i18next.t("orders.expiredToast", words) });
  // The ticket that sent it says why it was denied.
  if (order.status === "DENIED" && isOwnOrder(order.clientOrderId)) return;
  if (order.state === "rejected") {
    showToast({ tone: "bad", title: i18next.t("orders.rejectedToast", words), ...detail });
  }
}

function applyOrderEvent(queries: QueryClient, order: Order): void {
  const before = applyOrder(queries, order);
  const endedNow = !isOpen(order) && (before === undefined || isOpen(before));
  if (endedNow) announceEnd(order);
}

function applyFill(queries: QueryClient, fill: Fill): void {
  recountSoon(queries, fill.accountId);
  if (!addFill({ ...fill, sessionDate: quotes.get(fill.symbol)?.sessionDate })) return;
  showToast({
    tone: "good",
    title: i18next.t("orders.fillToast", {
      side: sideWord(fill.side),
      quantity: formatQuantity(fill.quantity),
      symbol: fill.symbol,
      price: formatPrice(fill.price, fill.currency),
    }),
  });
}

async function applyBalance(queries: QueryClient, balance: Balance): Promise<void> {
  const key = queryKeys.balance(balance.accountId);
  // An answer still on its way is older than this event.
  await queries.cancelQueries({ queryKey: key });
  queries.setQueryData<AccountBalance>(key, (known) => known && withBalance(known, balance));
  void queries.invalidateQueries({ queryKey: key });
  recountSoon(queries, balance.accountId);
}

function applyAccount(queries: QueryClient, account: Account): void {
  queries.setQueryData<Account[]>(queryKeys.accounts, (known) => {
    if (known === undefined) return undefined;
    const others = known.filter(({ id }) => id !== account.id);
    return [...others, account].sort((left, right) => left.createdAt.localeCompare(right.createdAt));
  });
}

function applyIncident(queries: QueryClient, incident: Incident): void {
  void queries.invalidateQueries({ queryKey: queryKeys.incidents });
  showToast({ tone: "bad", title: i18next.t("status.incidentToast", { kind: incidentWord(incident.kind) }) });
}

/** Something about the login that its owner should know. */
interface SecurityEvent {
  what: string;
  /** Where it is about recovery codes. */
  recoveryCodesLeft?: number;
}

function announceSecurity({ what, recoveryCodesLeft: number = 0 }: SecurityEvent): void {
  if (what === "recovery_code_used")
    showToast({ tone: "bad", title: i18next.t("twoFactor.codeUsed", { number }) });
  if (what === "recovery_codes_replaced")
    showToast({ tone: "plain", title: i18next.t("twoFactor.codesReplaced") });
  if (what === "password_changed") showToast({ tone: "good", title: i18next.t("profile.passwordChanged") });
}

/** Brings what is on the screen up to one event. Kinds that this page does not know change nothing. */
export function applyEvent(queries: QueryClient, { event, data }: ServerSentEvent): void {
  switch (event) {
    case "order":
      applyOrderEvent(queries, JSON.parse(data) as Order);
      break;
    case "execution":
      applyFill(queries, JSON.parse(data) as Fill);
      break;
    case "balance":
      void applyBalance(queries, JSON.parse(data) as Balance);
      break;
    case "position":
      recountSoon(queries, (JSON.parse(data) as { accountId: string }).accountId);
      break;
    case "account":
      applyAccount(queries, JSON.parse(data) as Account);
      break;
    case "incident":
      applyIncident(queries, JSON.parse(data) as Incident);
      break;
    case "halt":
      void queries.invalidateQueries({
        queryKey: queryKeys.halt((JSON.parse(data) as { accountId: string }).accountId),
      });
      break;
    case "security":
      announceSecurity(JSON.parse(data) as SecurityEvent);
      break;
    case "reset":
      void queries.invalidateQueries();
      break;
  }
}
