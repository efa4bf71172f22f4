import { useInfiniteQuery } from "@tanstack/react-query";
import { useEffect, useMemo, useRef } from "react";
import { useTranslation } from "react-i18next";
import type { Order } from "@/lib/api/types";
import { useEventsReady } from "@/lib/events-status";
import { formatPrice, formatQuantity, formatTime, orDash } from "@/lib/format";
import { heardOrders, useHeardOrders } from "@/lib/order-lists";
import type { OrderSearch } from "@/lib/order-search";
import { Button } from "@/lib/ui/button";
import { Moment } from "@/lib/ui/moment";
import { LoadFailure, Notice } from "@/lib/ui/notice";
import { Empty } from "@/lib/ui/panel";
import { useWindowRows } from "@/lib/ui/use-window-rows";
import { orderPagesQuery } from "../api/order-pages";
import { upToDate } from "../hooks/matching";
import { OrderKind, OrderQuantity, SideWord, StateWord } from "./order-cells";

/** Height of a row, in pixels; the list counts with it. */
const ROW_HEIGHT = 40;
/** The next page is asked for when so few rows are left below. */
const ROWS_LEFT_MIN = 20;

/** The pages of a search and what was heard since. */
function useOrders(accountId: string, search: OrderSearch) {
  const ready = useEventsReady();
  const pages = useInfiniteQuery({ ...orderPagesQuery(accountId, search), enabled: ready });
  const heardCount = useHeardOrders((state) => state.count);
  // biome-ignore lint/correctness/useExhaustiveDependencies: what was heard changes with its count
  const orders = useMemo(() => {
    const loaded = pages.data?.pages.flatMap((page) => page.orders) ?? [];
    return upToDate(loaded, heardOrders(accountId), search, !pages.hasNextPage);
  }, [pages.data, pages.hasNextPage, heardCount, accountId, search]);
  return { pages, orders, last: pages.data?.pages.at(-1) };
}

interface Props {
  accountId: string;
  search: OrderSearch;
  onOpen: (orderId: string) => void;
}

/** Orders without end: rows are rendered where they are seen, and pages are loaded as they are reached. */
export function OrderList({ accountId, search, onOpen }: Props) {
  const { t } = useTranslation();
  const place = useRef<HTMLDivElement>(null);
  const { pages, orders, last } = useOrders(accountId, search);
  const rows = useWindowRows(place, orders.length, ROW_HEIGHT);
  const { hasNextPage, isFetchingNextPage, isError, fetchNextPage } = pages;
  // A search that was cut short goes on only when somebody wants it to: it may be long.
  const mayGoOn = hasNextPage && !isFetchingNextPage && !isError && last?.searchCutShort !== true;
  const nearEnd = orders.length - rows.end < ROWS_LEFT_MIN;
  useEffect(() => {
    if (mayGoOn && nearEnd) void fetchNextPage();
  }, [mayGoOn, nearEnd, fetchNextPage]);
  return (
    <div ref={place} className="min-h-0 flex-1 overflow-auto" data-testid="order-list">
      {orders.length > 0 && (
        <table
          aria-label={t("orders.all")}
          aria-rowcount={hasNextPage ? -1 : orders.length + 1}
          className="w-full text-[13px]"
        >
          <Head />
          <tbody>
            {rows.before > 0 && <Gap height={rows.before} />}
            {orders.slice(rows.first, rows.end).map((order, index) => (
              <OrderRow key={order.id} order={order} index={rows.first + index + 2} onOpen={onOpen} />
            ))}
            {rows.after > 0 && <Gap height={rows.after} />}
          </tbody>
        </table>
      )}
      {pages.isPending ? (
        <Empty>{t("app.loading")}</Empty>
      ) : (
        <ListEnd
          pages={pages}
          count={orders.length}
          last={last}
          isFiltered={Object.keys(search).length > 0}
        />
      )}
    </div>
  );
}

function Head() {
  const { t } = useTranslation();
  const head = "sticky top-0 z-[1] bg-panel px-3 py-2 max-sm:px-2 whitespace-nowrap";
  return (
    <thead>
      <tr className="text-left text-soft text-xs">
        <th scope="col" className={head}>
          {t("orders.symbol")}
        </th>
        <th scope="col" className={head}>
          {t("orders.side")}
        </th>
        <th scope="col" className={`${head} text-right`}>
          {t("orders.filled")}
        </th>
        <th scope="col" className={`${head} max-md:hidden`}>
          {t("orders.type")}
        </th>
        <th scope="col" className={`${head} text-right max-sm:hidden`}>
          {t("orders.averagePrice")}
        </th>
        <th scope="col" className={head}>
          {t("orders.status")}
        </th>
        <th scope="col" className={`${head} text-right max-md:hidden`}>
          {t("orders.time")}
        </th>
      </tr>
    </thead>
  );
}

function Gap({ height }: { height: number }) {
  return (
    <tr>
      <td colSpan={7} style={{ height }} />
    </tr>
  );
}

interface RowProps {
  order: Order;
  index: number;
  onOpen: (orderId: string) => void;
}

function OrderRow({ order, index, onOpen }: RowProps) {
  const { t } = useTranslation();
  const cell = "h-10 whitespace-nowrap px-3 max-sm:px-2";
  return (
    <tr
      aria-rowindex={index}
      className="cursor-pointer border-line/60 border-t hover:bg-raised"
      onClick={() => onOpen(order.id)}
    >
      <td className={cell}>
        <button
          type="button"
          className="font-medium hover:underline"
          aria-label={t("orders.openDetail", {
            symbol: order.symbol,
            side: t(`ticket.${order.side}`),
            quantity: formatQuantity(order.quantity),
          })}
          onClick={() => onOpen(order.id)}
        >
          {order.symbol}
        </button>
      </td>
      <td className={cell}>
        <SideWord side={order.side} />
      </td>
      <td className={`${cell} text-right`}>
        {formatQuantity(order.filledQuantity)}
        <span className="text-soft">
          {" / "}
          <OrderQuantity order={order} />
        </span>
        <PriceInShort order={order} />
      </td>
      <td className={`${cell} max-md:hidden`}>
        <OrderKind order={order} />
      </td>
      <td className={`${cell} text-right max-sm:hidden`}>
        {orDash(order.averageFillPrice, (price) => formatPrice(price, order.currency))}
      </td>
      <td className={`${cell} max-w-56 truncate`}>
        <StateWord order={order} brief />
      </td>
      <td className={`${cell} text-right max-md:hidden`}>
        <Moment time={order.createdAt} currency={order.currency} />
      </td>
    </tr>
  );
}

/** On a phone there is no column for prices: what was paid, or else what was asked for. */
function PriceInShort({ order }: { order: Order }) {
  const price = order.averageFillPrice ?? order.limitPrice ?? order.stopPrice;
  if (price == null) return null;
  return (
    <span className="block text-soft text-xs leading-4 sm:hidden">
      @ {formatPrice(price, order.currency)}
    </span>
  );
}

interface EndProps {
  pages: ReturnType<typeof useOrders>["pages"];
  count: number;
  last: ReturnType<typeof useOrders>["last"];
  isFiltered: boolean;
}

/** What stands below the last row: how far was searched, and the way on. A list that may go on never looks complete. */
function ListEnd({ pages, count, last, isFiltered }: EndProps) {
  const { t, i18n } = useTranslation();
  if (pages.isError) {
    const retry = () => void (pages.data === undefined ? pages.refetch() : pages.fetchNextPage());
    return <LoadFailure failure={pages.error} onRetry={retry} />;
  }
  if (pages.isFetchingNextPage) return <Empty>{t("app.loading")}</Empty>;
  if (pages.hasNextPage) {
    const back = last?.searchedBackTo;
    return (
      <div className="flex flex-col items-center gap-2 p-4">
        {last?.searchCutShort === true && back != null && (
          <Notice tone="warn">
            {t("orders.searchedBackTo", { time: formatTime(back, i18n.language, true) })}
          </Notice>
        )}
        <Button size="small" onClick={() => void pages.fetchNextPage()}>
          {t(last?.searchCutShort === true ? "orders.searchFurther" : "orders.more")}
        </Button>
      </div>
    );
  }
  if (count === 0) return <Empty>{t(isFiltered ? "orders.noMatch" : "orders.noneYet")}</Empty>;
  return <p className="p-3 text-center text-soft text-xs">{t("orders.complete", { number: count })}</p>;
}
