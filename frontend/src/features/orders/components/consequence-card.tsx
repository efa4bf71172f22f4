import { useQuery } from "@tanstack/react-query";
import { type FormEvent, type ReactNode, useState } from "react";
import { useTranslation } from "react-i18next";
import type { Account, OrderPreview } from "@/lib/api/types";
import { formatDay, formatMoney, formatPercent, formatPrice, formatQuantity, orDash } from "@/lib/format";
import { fieldSentence, problemSentence } from "@/lib/i18n/sentences";
import { setPreferences } from "@/lib/preferences";
import { quotes } from "@/lib/quotes/socket";
import { useQuote } from "@/lib/quotes/use-quote";
import { Button } from "@/lib/ui/button";
import { Dialog } from "@/lib/ui/dialog";
import { Gain } from "@/lib/ui/gain";
import { LoadFailure, Notice } from "@/lib/ui/notice";
import { lotsQuery } from "../api/orders";
import { type Consequences, consequencesOf } from "../hooks/consequences";
import type { Wish } from "../hooks/draft";
import { usePreview } from "../hooks/use-preview";
import { NearLimits } from "./near-limits";
import type { AccountState } from "./ticket";
import { useWishWords } from "./wish-words";

/** Lots named one by one; the others are counted. */
const LOTS_SHOWN_MAX = 4;

interface Props {
  wish: Wish;
  account: Account;
  state: AccountState;
  /** Whether the page may show old prices or old orders. */
  stale: boolean;
  onSend: () => void;
  onClose: () => void;
}

/** What the order would change, before it is sent. */
export function ConsequenceCard({ wish, account, state, stale, onSend, onClose }: Props) {
  const { t } = useTranslation();
  const [silent, setSilent] = useState(false);
  const { order } = wish;
  const words = useWishWords(wish, account.currency);
  const preview = usePreview(order);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (silent) setPreferences({ confirmOrders: false });
    onSend();
  };
  const denials = preview.estimate?.denials ?? [];
  return (
    <Dialog title={words.title} onClose={onClose}>
      <form onSubmit={submit} className="space-y-3" data-testid="consequences">
        {stale && <Notice tone="bad">{t("ticket.staleWarning")}</Notice>}
        <p className="text-[13px] text-soft">{words.terms}</p>
        {preview.estimate !== null && (
          <div className={preview.current ? "" : "opacity-60"}>
            <Figures wish={wish} account={account} state={state} estimate={preview.estimate} />
          </div>
        )}
        {preview.estimate !== null && <NearLimits estimate={preview.estimate} />}
        {preview.failure != null && <Notice tone="bad">{problemSentence(preview.failure)}</Notice>}
        {denials.length > 0 && (
          <Notice tone="warn">
            {denials.map((denial) => (
              <p key={`${denial.field} ${denial.rule}`}>{fieldSentence(denial)}</p>
            ))}
          </Notice>
        )}
        <label className="flex items-center gap-2 text-soft text-xs">
          <input type="checkbox" checked={silent} onChange={(event) => setSilent(event.target.checked)} />
          {t("ticket.sendWithoutAsking")}
        </label>
        <div className="flex gap-2">
          <Button className="flex-1" onClick={onClose}>
            {t("app.back")}
          </Button>
          <Button type="submit" look={order.side} className="flex-1" data-autofocus>
            {t("ticket.send")}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}

interface FiguresProps {
  wish: Wish;
  account: Account;
  state: AccountState;
  estimate: OrderPreview;
}

function Figures({ wish, account, state, estimate }: FiguresProps) {
  const { t, i18n } = useTranslation();
  const { order } = wish;
  const { currency } = account;
  const sells = order.side === "sell";
  const isShort = state.position?.quantity.startsWith("-") === true;
  const closes = sells !== isShort;
  const lots = useQuery({ ...lotsQuery(account.id, order.symbol), enabled: closes });
  useQuote(order.symbol);
  const after = consequencesOf(order, estimate, {
    cash: state.cash ?? "0",
    worth: state.worth(),
    position: state.position,
    lots: lots.data,
    lastPrice: quotes.get(order.symbol)?.price,
  });
  return (
    <>
      <dl className="space-y-1 text-[13px]">
        <Line label={t("ticket.estimatedPrice")}>{formatPrice(estimate.estimatedPrice, currency)}</Line>
        {after.distancePercent !== null && (
          <Line label={t("ticket.distance")}>{formatPercent(after.distancePercent)}</Line>
        )}
        <Line label={t("ticket.commission")}>
          {orDash(estimate.commission, (fee) => formatMoney(fee, currency))}
        </Line>
        <Line label={t("ticket.tax")}>{orDash(estimate.tax, (tax) => formatMoney(tax, currency))}</Line>
        <Line label={t("ticket.tariff")}>{t(`ticket.tariffs.${estimate.tariff}`)}</Line>
        <Line strong label={t(sells ? "ticket.totalSell" : "ticket.totalBuy")}>
          {orDash(estimate.total, (total) => formatMoney(total, currency))}
        </Line>
        {state.cash !== null && (
          <Line label={t("ticket.cashAfter")}>
            {orDash(after.cashAfter, (cash) => formatMoney(cash, currency))}
          </Line>
        )}
        <Line label={t("ticket.buyingPowerAfter")}>{formatMoney(estimate.buyingPowerAfter, currency)}</Line>
        <Line label={t("ticket.sharesAfter")}>
          {formatQuantity(after.sharesBefore)} → {orDash(after.sharesAfter, formatQuantity)}
        </Line>
        {after.shareOfWorthAfter !== null && (
          <Line label={t("ticket.shareOfWorth")}>
            {formatPercent(after.shareOfWorthAfter).replace(/^\+/, "")}
          </Line>
        )}
        {after.sharesAfter?.isNegative() === true && sells && (
          <Line label={t("ticket.sellsShort")}>{formatQuantity(after.sharesAfter.abs())}</Line>
        )}
        {estimate.availableEquityAfter != null && (
          <Line label={t("ticket.availableEquityAfter")}>
            {formatMoney(estimate.availableEquityAfter, currency)}
          </Line>
        )}
        {closes && (
          <Line label={t("ticket.gain")}>
            <Gain amount={after.gain} currency={currency} />
          </Line>
        )}
        {closes && <SoldLots after={after} currency={currency} language={i18n.language} />}
      </dl>
      {lots.isError && (
        <LoadFailure what={t("portfolio.lots")} failure={lots.error} onRetry={() => lots.refetch()} />
      )}
    </>
  );
}

interface SoldLotsProps {
  after: Consequences;
  currency: Account["currency"];
  language: string;
}

function SoldLots({ after, currency, language }: SoldLotsProps) {
  const { t } = useTranslation();
  const more = after.soldLots.length - LOTS_SHOWN_MAX;
  return (
    <>
      {after.soldLots.slice(0, LOTS_SHOWN_MAX).map((lot, index) => (
        <Line
          // biome-ignore lint/suspicious/noArrayIndexKey: lots of one day differ by nothing but their place
          key={index}
          label={t("ticket.soldLot", {
            quantity: formatQuantity(lot.quantity),
            day: formatDay(lot.acquiredOn, language),
          })}
        >
          <Gain amount={lot.gain} currency={currency} />
        </Line>
      ))}
      {more > 0 && <Line label={t("ticket.moreLots", { number: more })}> </Line>}
    </>
  );
}

function Line({ label, children, strong = false }: { label: string; children: ReactNode; strong?: boolean }) {
  return (
    <div className={`flex justify-between gap-3 ${strong ? "border-line border-t pt-1 font-semibold" : ""}`}>
      <dt className={strong ? "" : "text-soft"}>{label}</dt>
      <dd className="text-right">{children}</dd>
    </div>
  );
}
