/** Names of everything kept of the server's answers, shared by the rooms that load and the stream that updates. */
export const queryKeys = {
  accounts: ["accounts"] as const,
  balance: (accountId: string) => ["balance", accountId] as const,
  openOrders: (accountId: string) => ["orders", accountId, "open"] as const,
  closedOrders: (accountId: string) => ["orders", accountId, "closed"] as const,
  fills: (accountId: string) => ["fills", accountId] as const,
  holdings: (accountId: string) => ["holdings", accountId] as const,
  instruments: ["instruments"] as const,
  history: (symbol: string) => ["history", symbol] as const,
  preview: (order: unknown) => ["preview", order] as const,
};
