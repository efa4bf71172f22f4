import {
  createRootRoute,
  createRoute,
  createRouter,
  lazyRouteComponent,
  redirect,
} from "@tanstack/react-router";
import { readAccountSearch } from "@/lib/account-search";
import { readOrderSearch } from "@/lib/order-search";
import { RoomFailure } from "./room-failure";
import { DeskRoom } from "./rooms/desk-room";
import { Shell } from "./shell";

const root = createRootRoute({ component: Shell });

const desk = createRoute({ getParentRoute: () => root, path: "/", component: DeskRoom });

// The desk is the first screen; the other rooms come when they are entered.
const orders = createRoute({
  getParentRoute: () => root,
  path: "/orders",
  validateSearch: readOrderSearch,
  component: lazyRouteComponent(() => import("./rooms/orders-room"), "OrdersRoom"),
});

const portfolio = createRoute({
  getParentRoute: () => root,
  path: "/portfolio",
  component: lazyRouteComponent(() => import("./rooms/portfolio-room"), "PortfolioRoom"),
});

const accounts = createRoute({
  getParentRoute: () => root,
  path: "/accounts",
  validateSearch: readAccountSearch,
  component: lazyRouteComponent(() => import("./rooms/accounts-room"), "AccountsRoom"),
});

const settings = createRoute({
  getParentRoute: () => root,
  path: "/settings",
  component: lazyRouteComponent(() => import("./rooms/settings-room"), "SettingsRoom"),
});

/** An address that names no room leads to the desk. */
const elsewhere = createRoute({
  getParentRoute: () => root,
  path: "$",
  beforeLoad: () => {
    throw redirect({ to: "/", replace: true });
  },
});

export const router = createRouter({
  routeTree: root.addChildren([desk, orders, portfolio, accounts, settings, elsewhere]),
  defaultPreload: "intent",
  defaultErrorComponent: RoomFailure,
  scrollRestoration: true,
});

declare module "@tanstack/react-router" {
  interface Register {
    router: typeof router;
  }
}
