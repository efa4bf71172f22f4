import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { type ChangeEvent, useState } from "react";
import { useTranslation } from "react-i18next";
import type { Account } from "@/lib/api/types";
import { formatQuantity, formatTime } from "@/lib/format";
import { problemSentence } from "@/lib/i18n/sentences";
import { showToast } from "@/lib/toasts";
import { Button } from "@/lib/ui/button";
import { Select } from "@/lib/ui/field";
import { LoadFailure, Notice } from "@/lib/ui/notice";
import {
  FILE_BYTES_MAX,
  type FileForm,
  importFile,
  importsQuery,
  previewImport,
  USUAL_FORM,
} from "../api/imports";
import { ImportReportView } from "./import-report";

/** Takes over what happened elsewhere: a CSV file is looked at first, and booked whole or not at all. */
export function ImportFile({ account }: { account: Account }) {
  const { t } = useTranslation();
  const queries = useQueryClient();
  const [file, setFile] = useState<File | null>(null);
  const [form, setForm] = useState<FileForm>(USUAL_FORM);
  const looking = useMutation({
    mutationFn: ({ chosen, how }: { chosen: File; how: FileForm }) => previewImport(account.id, chosen, how),
  });
  const booking = useMutation({
    mutationFn: (chosen: File) => importFile(account.id, chosen, form),
    onSuccess: ({ accepted }) => {
      showToast({ tone: "good", title: t("imports.done", { number: accepted }) });
      setFile(null);
      looking.reset();
      void queries.invalidateQueries();
    },
  });
  const look = (chosen: File | null, how: FileForm) => {
    booking.reset();
    looking.reset();
    if (chosen !== null && chosen.size <= FILE_BYTES_MAX) looking.mutate({ chosen, how });
  };
  const choose = (event: ChangeEvent<HTMLInputElement>) => {
    const chosen = event.target.files?.[0] ?? null;
    setFile(chosen);
    look(chosen, form);
  };
  const change = (part: Partial<FileForm>) => {
    const how = { ...form, ...part };
    setForm(how);
    look(file, how);
  };
  const report = looking.data;
  const bookable = report !== undefined && report.refusedCount === 0 && report.accepted > 0;
  return (
    <div className="space-y-3 p-3">
      <p className="max-w-2xl text-[13px] text-soft">{t("imports.hint")}</p>
      <label className="block text-[13px]">
        <span className="mb-1 block text-soft text-xs">{t("imports.file")}</span>
        <input type="file" accept=".csv,text/csv" onChange={choose} className="max-w-full" />
      </label>
      <FormChoice form={form} onChange={change} />
      {file !== null && file.size > FILE_BYTES_MAX && <Notice tone="bad">{t("imports.tooLarge")}</Notice>}
      {looking.isPending && <Notice>{t("imports.looking")}</Notice>}
      {looking.isError && <Notice tone="bad">{problemSentence(looking.error)}</Notice>}
      {report !== undefined && <ImportReportView report={report} />}
      {booking.isError && <Notice tone="bad">{problemSentence(booking.error)}</Notice>}
      {file !== null && report !== undefined && (
        <Button look="primary" disabled={!bookable || booking.isPending} onClick={() => booking.mutate(file)}>
          {t("imports.book", { number: report.accepted })}
        </Button>
      )}
      <Imports accountId={account.id} />
    </div>
  );
}

interface FormProps {
  form: FileForm;
  onChange: (part: Partial<FileForm>) => void;
}

function FormChoice({ form, onChange }: FormProps) {
  const { t } = useTranslation();
  const choice = <Key extends keyof FileForm>(key: Key, values: readonly FileForm[Key][]) => (
    <Select
      label={t(`imports.${key}`)}
      value={form[key]}
      onChange={(event) => onChange({ [key]: event.target.value })}
    >
      {values.map((value) => (
        <option key={value} value={value}>
          {t(`imports.value.${value === "" ? "none" : (value.replace("-", "") as "ymd")}`)}
        </option>
      ))}
    </Select>
  );
  return (
    <div className="grid grid-cols-2 gap-2 md:grid-cols-5">
      {choice("dateFormat", ["ymd", "mdy", "dmy"])}
      {choice("decimal", ["point", "comma"])}
      {choice("koreanBoard", ["", "kospi", "kosdaq"])}
      {choice("duplicates", ["refuse", "skip", "keep"])}
      {choice("charset", ["utf-8", "euc-kr"])}
    </div>
  );
}

function Imports({ accountId }: { accountId: string }) {
  const { t, i18n } = useTranslation();
  const imports = useQuery(importsQuery(accountId));
  if (imports.isError) return <LoadFailure failure={imports.error} onRetry={() => imports.refetch()} />;
  if (imports.data === undefined || imports.data.length === 0) return null;
  return (
    <section>
      <h3 className="mb-1 font-semibold text-[13px]">{t("imports.before")}</h3>
      <ul className="text-[13px]">
        {imports.data.map((one) => (
          <li key={one.id} className="flex flex-wrap gap-x-3 border-line/60 border-t py-1">
            <span className="text-soft">{formatTime(one.createdAt, i18n.language, true)}</span>
            <span>{t("imports.lines", { number: formatQuantity(String(one.booked)) })}</span>
            <code className="truncate text-soft text-xs">{one.fileHash.slice(0, 16)}…</code>
          </li>
        ))}
      </ul>
    </section>
  );
}
