import { useInfiniteQuery, useMutation } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import type { Account, Currency, StatementLine } from "@/lib/api/types";
import { Decimal } from "@/lib/decimal";
import { formatCash, formatGain, formatQuantity, formatTime } from "@/lib/format";
import { movementWord, problemSentence } from "@/lib/i18n/sentences";
import { showToast } from "@/lib/toasts";
import { Button } from "@/lib/ui/button";
import { Field, Select } from "@/lib/ui/field";
import { MoreRows } from "@/lib/ui/more-rows";
import { LoadFailure } from "@/lib/ui/notice";
import { Empty } from "@/lib/ui/panel";
import { Cell, Row, Table } from "@/lib/ui/table";
import {
  EVERY_LINE,
  MOVEMENT_KINDS,
  type StatementFilter,
  saveStatement,
  statementQuery,
} from "../api/statement";

/** Every change of the account's cash and shares, with the balance after it. */
export function Statement({ account }: { account: Account }) {
  const { t } = useTranslation();
  const [filter, setFilter] = useState<StatementFilter>(EVERY_LINE);
  const pages = useInfiniteQuery(statementQuery(account.id, filter));
  const lines = pages.data?.pages.flatMap((page) => page.lines) ?? [];
  return (
    <div>
      <Filters accountId={account.id} filter={filter} onChange={setFilter} />
      {pages.isError && pages.data === undefined && (
        <LoadFailure failure={pages.error} onRetry={() => pages.refetch()} />
      )}
      {pages.isPending && <Empty>{t("app.loading")}</Empty>}
      {pages.isSuccess && lines.length === 0 && !pages.hasNextPage && <Empty>{t("accounts.noLines")}</Empty>}
      {lines.length > 0 && <Lines lines={lines} />}
      <MoreRows pages={pages} />
    </div>
  );
}

function Lines({ lines }: { lines: readonly StatementLine[] }) {
  const { t } = useTranslation();
  return (
    <Table
      label={t("accounts.statement")}
      columns={[
        { label: t("accounts.bookedAt"), words: true },
        { label: t("accounts.kind"), words: true },
        { label: t("accounts.where"), words: true, wideOnly: true },
        { label: t("accounts.change") },
        { label: t("accounts.balanceAfter") },
        { label: t("accounts.settleDate"), wideOnly: true },
      ]}
    >
      {lines.map((line) => (
        <Line key={line.sequence} line={line} />
      ))}
    </Table>
  );
}

function Line({ line }: { line: StatementLine }) {
  const { i18n } = useTranslation();
  const isCash = line.commodity === "USD" || line.commodity === "KRW";
  const currency = line.commodity as Currency;
  const change = isCash ? formatGain(line.amount, currency) : signed(line.amount);
  const balance = isCash ? formatCash(line.balance, currency) : formatQuantity(line.balance);
  return (
    <Row>
      <Cell words>{formatTime(line.bookedAt, i18n.language, true)}</Cell>
      <Cell words>
        {movementWord(line.kind)} {line.symbol != null && <span className="text-soft">{line.symbol}</span>}
      </Cell>
      <Cell words wideOnly>
        <LedgerWord name={line.ledgerAccount} />
      </Cell>
      <Cell>
        {change} <span className="text-soft text-xs">{line.commodity}</span>
      </Cell>
      <Cell>{balance}</Cell>
      <Cell wideOnly>{line.settleDate}</Cell>
    </Row>
  );
}

const signed = (amount: string) =>
  `${new Decimal(amount).greaterThan(0) ? "+" : ""}${formatQuantity(amount)}`;

const LEDGER_ACCOUNTS = ["cash", "shares", "receivable", "payable"] as const;

function LedgerWord({ name }: { name: string }) {
  const { t } = useTranslation();
  const known = LEDGER_ACCOUNTS.find((account) => account === name);
  return known === undefined ? name : t(`accounts.ledger.${known}`);
}

interface FiltersProps {
  accountId: string;
  filter: StatementFilter;
  onChange: (filter: StatementFilter) => void;
}

function Filters({ accountId, filter, onChange }: FiltersProps) {
  const { t } = useTranslation();
  const saving = useMutation({
    mutationFn: () => saveStatement(accountId, filter),
    onError: (failure) => showToast({ tone: "bad", title: problemSentence(failure) }),
  });
  const set = (part: Partial<StatementFilter>) => onChange({ ...filter, ...part });
  return (
    <div className="grid grid-cols-2 items-end gap-2 p-3 md:grid-cols-5">
      <Select
        label={t("accounts.kind")}
        value={filter.kind}
        onChange={(event) => set({ kind: event.target.value })}
      >
        <option value="">{t("orders.filter.all")}</option>
        {MOVEMENT_KINDS.map((kind) => (
          <option key={kind} value={kind}>
            {movementWord(kind)}
          </option>
        ))}
      </Select>
      <Select
        label={t("accounts.commodity")}
        value={filter.commodity}
        onChange={(event) => set({ commodity: event.target.value })}
      >
        <option value="">{t("orders.filter.all")}</option>
        <option value="USD">USD</option>
        <option value="KRW">KRW</option>
      </Select>
      <Field
        label={t("orders.from")}
        type="date"
        value={filter.from}
        onChange={(event) => set({ from: event.target.value })}
      />
      <Field
        label={t("orders.to")}
        type="date"
        value={filter.to}
        onChange={(event) => set({ to: event.target.value })}
      />
      <Button disabled={saving.isPending} onClick={() => saving.mutate()}>
        {t(saving.isPending ? "orders.exporting" : "orders.export")}
      </Button>
    </div>
  );
}
