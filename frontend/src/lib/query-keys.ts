/** Names of everything kept of the server's answers, shared by the rooms that load and the stream that updates. */
export const queryKeys = {
  accounts: ["accounts"] as const,
  balance: (accountId: string) => ["balance", accountId] as const,
  openOrders: (accountId: string) => ["orders", accountId, "open"] as const,
  closedOrders: (accountId: string) => ["orders", accountId, "closed"] as const,
  order: (orderId: string) => ["order", orderId] as const,
  orderPages: (query: unknown) => ["order-pages", query] as const,
  fills: (accountId: string) => ["fills", accountId] as const,
  holdings: (accountId: string) => ["holdings", accountId] as const,
  orderGroups: (accountId: string) => ["order-groups", accountId] as const,
  lots: (accountId: string, symbol: string | null) => ["holdings", accountId, "lots", symbol] as const,
  sales: (accountId: string, symbol: string | null) => ["holdings", accountId, "sales", symbol] as const,
  positionMovements: (accountId: string, symbol: string) =>
    ["holdings", accountId, "position-movements", symbol] as const,
  lotSales: (accountId: string, lotId: string) => ["holdings", accountId, "lot-sales", lotId] as const,
  settling: (accountId: string, currency: string, day: string) =>
    ["statement", accountId, "settling", currency, day] as const,
  performance: (accountId: string, currency: string, days: number | null) =>
    ["holdings", accountId, "performance", currency, days] as const,
  movements: (accountId: string, kinds: readonly string[]) =>
    ["holdings", accountId, "movements", ...kinds] as const,
  statement: (accountId: string, filter: unknown) => ["statement", accountId, filter] as const,
  imports: (accountId: string) => ["imports", accountId] as const,
  resets: (accountId: string) => ["resets", accountId] as const,
  comparisons: (accountId: string) => ["comparisons", accountId] as const,
  connection: (accountId: string) => ["connection", accountId] as const,
  capabilities: (accountId: string) => ["capabilities", accountId] as const,
  simulation: (accountId: string) => ["simulation", accountId] as const,
  margin: (accountId: string) => ["margin", accountId] as const,
  halt: (accountId: string) => ["halt", accountId] as const,
  incidents: ["incidents"] as const,
  instruments: ["instruments"] as const,
  priceGrid: (symbol: string) => ["price-grid", symbol] as const,
  history: (symbol: string) => ["history", symbol] as const,
  preview: (order: unknown) => ["preview", order] as const,
};
