/** The rooms of the page, in the order in which they are offered. */
export const ROOMS = [
  { to: "/", name: "desk" },
  { to: "/orders", name: "orders" },
  { to: "/portfolio", name: "portfolio" },
  { to: "/accounts", name: "accounts" },
] as const;
