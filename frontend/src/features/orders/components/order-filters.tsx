import { type FormEvent, useEffect, useState } from "react";
import { useTranslation } from "react-i18next";
import { ORDER_TYPES, type OrderSearch, STATUS_FILTERS } from "@/lib/order-search";
import { Button } from "@/lib/ui/button";
import { Field, Select } from "@/lib/ui/field";

interface Props {
  search: OrderSearch;
  onSearch: (search: OrderSearch) => void;
}

/** Which orders are looked for. Choices take effect at once, words when Enter is pressed. */
export function OrderFilters({ search, onSearch }: Props) {
  const { t } = useTranslation();
  const [text, setText] = useState(search.text ?? "");
  const [symbol, setSymbol] = useState(search.symbol ?? "");
  useEffect(() => {
    setText(search.text ?? "");
    setSymbol(search.symbol ?? "");
  }, [search.text, search.symbol]);
  const choose = (part: Record<keyof OrderSearch, string> | Partial<Record<keyof OrderSearch, string>>) => {
    const next = { ...search, ...part };
    onSearch(Object.fromEntries(Object.entries(next).filter(([, value]) => value !== "")));
  };
  const submit = (event: FormEvent) => {
    event.preventDefault();
    choose({ text: text.trim(), symbol: symbol.trim().toUpperCase() });
  };
  const [all, setAll] = useState(false);
  // A phone shows the first choice; the others come when they are wanted.
  const rest = all ? "" : "max-sm:hidden";
  const isFiltered = Object.keys(search).length > 0;
  return (
    <form onSubmit={submit} className="grid grid-cols-2 items-end gap-2 sm:grid-cols-4 xl:grid-cols-8">
      <Select
        label={t("orders.status")}
        value={search.status ?? "all"}
        onChange={(event) => choose({ status: event.target.value === "all" ? "" : event.target.value })}
      >
        {STATUS_FILTERS.map((status) => (
          <option key={status} value={status}>
            {t(`orders.filter.${status}`)}
          </option>
        ))}
      </Select>
      <Button className="sm:hidden" aria-expanded={all} onClick={() => setAll(!all)}>
        {t(all ? "orders.fewerFilters" : "orders.moreFilters")}
      </Button>
      <Select
        className={rest}
        label={t("orders.side")}
        value={search.side ?? ""}
        onChange={(event) => choose({ side: event.target.value })}
      >
        <option value="">{t("orders.filter.all")}</option>
        <option value="buy">{t("ticket.buy")}</option>
        <option value="sell">{t("ticket.sell")}</option>
      </Select>
      <Select
        className={rest}
        label={t("orders.type")}
        value={search.type ?? ""}
        onChange={(event) => choose({ type: event.target.value })}
      >
        <option value="">{t("orders.filter.all")}</option>
        {ORDER_TYPES.map((type) => (
          <option key={type} value={type}>
            {t(`ticket.types.${type}`)}
          </option>
        ))}
      </Select>
      <Field
        className={rest}
        label={t("orders.symbol")}
        value={symbol}
        maxLength={12}
        autoComplete="off"
        onChange={(event) => setSymbol(event.target.value)}
      />
      <Field
        className={rest}
        label={t("orders.from")}
        type="date"
        value={search.from ?? ""}
        onChange={(event) => choose({ from: event.target.value })}
      />
      <Field
        className={rest}
        label={t("orders.to")}
        type="date"
        value={search.to ?? ""}
        onChange={(event) => choose({ to: event.target.value })}
      />
      <Field
        className={rest}
        label={t("orders.words")}
        value={text}
        maxLength={64}
        autoComplete="off"
        onChange={(event) => setText(event.target.value)}
      />
      <div className={`flex gap-1 ${rest}`}>
        <Button type="submit" className="flex-1">
          {t("orders.search")}
        </Button>
        {isFiltered && (
          <Button look="quiet" onClick={() => onSearch({})}>
            {t("orders.clear")}
          </Button>
        )}
      </div>
    </form>
  );
}
