import { queryOptions } from "@tanstack/react-query";
import { api, unwrap } from "@/lib/api/client";
import type { ImportReport } from "@/lib/api/types";
import { queryKeys } from "@/lib/query-keys";

/** The server takes files of this size. */
export const FILE_BYTES_MAX = 2 * 1024 * 1024;

/** How the file is to be read. */
export interface FileForm {
  dateFormat: "ymd" | "mdy" | "dmy";
  decimal: "point" | "comma";
  koreanBoard: "" | "kospi" | "kosdaq";
  duplicates: "refuse" | "skip" | "keep";
  charset: "utf-8" | "euc-kr";
}

export const USUAL_FORM: FileForm = {
  dateFormat: "ymd",
  decimal: "point",
  koreanBoard: "",
  duplicates: "refuse",
  charset: "utf-8",
};

function request(accountId: string, file: File, form: FileForm) {
  const { charset, koreanBoard, ...rest } = form;
  return {
    params: {
      path: { id: accountId },
      query: { ...rest, ...(koreanBoard !== "" && { koreanBoard }) },
    },
    // The file goes as it is: the server reads its letters, not this page.
    body: file as unknown as string,
    bodySerializer: (body: unknown) => body as File,
    headers: { "Content-Type": `text/csv; charset=${charset}` },
  };
}

/** Says what a file would do, and books nothing. */
export function previewImport(accountId: string, file: File, form: FileForm): Promise<ImportReport> {
  return unwrap(api.POST("/api/accounts/{id}/imports/preview", request(accountId, file, form)));
}

/** Takes a file over: all of its lines or none. */
export function importFile(accountId: string, file: File, form: FileForm): Promise<ImportReport> {
  return unwrap(api.POST("/api/accounts/{id}/imports", request(accountId, file, form)));
}

export const importsQuery = (accountId: string) =>
  queryOptions({
    queryKey: queryKeys.imports(accountId),
    queryFn: async () =>
      (await unwrap(api.GET("/api/accounts/{id}/imports", { params: { path: { id: accountId } } }))).imports,
  });
