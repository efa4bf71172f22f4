import { infiniteQueryOptions } from "@tanstack/react-query";
import { api, unwrap } from "@/lib/api/client";
import { queryText, saveFile } from "@/lib/api/download";
import type { Currency, StatementLine } from "@/lib/api/types";
import { BOOK_PAGE_SIZE, MOVEMENTS_PAGE_SIZE } from "@/lib/limits";
import { startOfDay } from "@/lib/order-search";
import { queryKeys } from "@/lib/query-keys";

/** Which lines of a statement are shown. Empty texts do not filter. */
export interface StatementFilter {
  kind: string;
  commodity: string;
  from: string;
  to: string;
}

export const EVERY_LINE: StatementFilter = { kind: "", commodity: "", from: "", to: "" };

/** The kinds of movements that can be asked for. */
export const MOVEMENT_KINDS = [
  "deposit",
  "withdrawal",
  "transfer_in",
  "transfer_out",
  "exchange_in",
  "exchange_out",
  "fill",
  "trade",
  "settlement",
  "dividend",
  "withholding",
  "fee",
  "interest",
  "borrow_fee",
  "split",
  "cash_in_lieu",
  "symbol_change",
  "shares_in",
  "shares_out",
  "broker_difference",
  "reversal",
  "recost",
  "carry_over",
  "reset",
] as const;

function query({ kind, commodity, from, to }: StatementFilter) {
  const begin = startOfDay(from);
  const end = startOfDay(to, 1);
  return {
    ...(kind !== "" && { kind }),
    ...(commodity !== "" && { commodity }),
    ...(begin !== null && { from: begin }),
    ...(end !== null && { to: end }),
  };
}

/** The account's statement, page by page, newest first. */
export const statementQuery = (accountId: string, filter: StatementFilter) =>
  infiniteQueryOptions({
    queryKey: queryKeys.statement(accountId, filter),
    queryFn: ({ pageParam }) => {
      const cursor = pageParam === null ? {} : { cursor: pageParam };
      return unwrap(
        api.GET("/api/accounts/{id}/statement", {
          params: { path: { id: accountId }, query: { ...query(filter), limit: BOOK_PAGE_SIZE, ...cursor } },
        }),
      );
    },
    initialPageParam: null as number | null,
    getNextPageParam: (page) => page.nextCursor ?? null,
    gcTime: 0,
  });

/** A trade settles within so many days: what was booked before is not looked at. */
const SETTLING_DAYS_MAX = 14;
const DAY_MS = 86_400_000;

/** What was promised in a currency for a day, page by page, newest first. */
export const settlingQuery = (accountId: string, currency: Currency, settleDate: string) =>
  infiniteQueryOptions({
    queryKey: queryKeys.settling(accountId, currency, settleDate),
    queryFn: async ({ pageParam }) => {
      const from = new Date(Date.parse(settleDate) - SETTLING_DAYS_MAX * DAY_MS).toISOString();
      const cursor = pageParam === null ? {} : { cursor: pageParam };
      const query = { commodity: currency, from, limit: MOVEMENTS_PAGE_SIZE, ...cursor };
      const params = { path: { id: accountId }, query };
      const page = await unwrap(api.GET("/api/accounts/{id}/statement", { params }));
      const isPromise = (line: StatementLine) =>
        line.settleDate === settleDate && /^(receivable|payable)$/.test(line.ledgerAccount);
      return { ...page, lines: page.lines.filter(isPromise) };
    },
    initialPageParam: null as number | null,
    getNextPageParam: (page) => page.nextCursor ?? null,
    gcTime: 0,
  });

/** Saves the statement as a CSV file. */
export function saveStatement(accountId: string, filter: StatementFilter): Promise<void> {
  return saveFile(
    `/api/accounts/${accountId}/statement/export${queryText(query(filter))}`,
    "gaemi-statement.csv",
  );
}
