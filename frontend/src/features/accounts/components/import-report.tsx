import { useTranslation } from "react-i18next";
import type { ImportReport } from "@/lib/api/types";
import { formatQuantity } from "@/lib/format";
import { fieldSentence, movementWord } from "@/lib/i18n/sentences";
import { Notice } from "@/lib/ui/notice";
import { Cell, Row, Table } from "@/lib/ui/table";

/** What a file would do: the lines that are refused and why, what would change, and how each line was understood. */
export function ImportReportView({ report }: { report: ImportReport }) {
  const { t } = useTranslation();
  const changes = report.changes.map(
    ({ commodity, change }) => `${change.startsWith("-") ? "" : "+"}${formatQuantity(change)} ${commodity}`,
  );
  return (
    <div className="space-y-3" data-testid="import-report">
      <Notice tone={report.refusedCount > 0 ? "bad" : "plain"}>
        {t("imports.summary", {
          lines: report.lines,
          accepted: report.accepted,
          skipped: report.skipped,
          refused: report.refusedCount,
        })}
        {report.refusedCount > 0 && <p>{t("imports.refusedHint")}</p>}
      </Notice>
      {changes.length > 0 && (
        <p className="text-[13px]">
          <span className="text-soft">{t("imports.changes")}</span> {changes.join(", ")}
        </p>
      )}
      {report.refused.length > 0 && <Refused report={report} />}
      {report.preview.length > 0 && <Understood report={report} />}
    </div>
  );
}

function Refused({ report }: { report: ImportReport }) {
  const { t } = useTranslation();
  const columns = [
    { label: t("imports.line") },
    { label: t("imports.column"), words: true },
    { label: t("imports.reason"), words: true },
  ];
  return (
    <Table label={t("imports.refusedLines")} columns={columns}>
      {report.refused.map((refused) => (
        <Row key={`${refused.line} ${refused.column} ${refused.rule}`}>
          <Cell>{refused.line}</Cell>
          <Cell words>{refused.header ?? ""}</Cell>
          <Cell words>
            <span className="whitespace-normal">
              {fieldSentence({ field: refused.header ?? "", rule: refused.rule, message: refused.message })}
            </span>
          </Cell>
        </Row>
      ))}
    </Table>
  );
}

function Understood({ report }: { report: ImportReport }) {
  const { t } = useTranslation();
  const text = (value: string | null | undefined) => (value == null ? "" : formatQuantity(value));
  return (
    <details>
      <summary className="text-[13px]">{t("imports.understood")}</summary>
      <Table
        label={t("imports.understood")}
        columns={[
          { label: t("imports.line") },
          { label: t("imports.date"), words: true },
          { label: t("accounts.kind"), words: true },
          { label: t("orders.symbol"), words: true },
          { label: t("orders.quantity") },
          { label: t("orders.price") },
          { label: t("accounts.amount") },
        ]}
      >
        {report.preview.map((line) => (
          <Row key={line.line}>
            <Cell>{line.line}</Cell>
            <Cell words>{line.date}</Cell>
            <Cell words>{movementWord(line.kind)}</Cell>
            <Cell words>{line.symbol ?? ""}</Cell>
            <Cell>{text(line.quantity)}</Cell>
            <Cell>{text(line.price)}</Cell>
            <Cell>
              {text(line.amount)} <span className="text-soft text-xs">{line.currency ?? ""}</span>
            </Cell>
          </Row>
        ))}
      </Table>
    </details>
  );
}
