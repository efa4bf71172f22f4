import { useTranslation } from "react-i18next";
import { Button } from "./button";
import { LoadFailure } from "./notice";

interface Pages {
  hasNextPage: boolean;
  isFetchingNextPage: boolean;
  isFetchNextPageError: boolean;
  error: unknown;
  fetchNextPage: () => unknown;
}

/** The way to the next page of a list, where there is one. */
export function MoreRows({ pages }: { pages: Pages }) {
  const { t } = useTranslation();
  if (pages.isFetchNextPageError)
    return <LoadFailure failure={pages.error} onRetry={() => pages.fetchNextPage()} />;
  if (!pages.hasNextPage) return null;
  return (
    <div className="flex justify-center p-3">
      <Button size="small" disabled={pages.isFetchingNextPage} onClick={() => pages.fetchNextPage()}>
        {t(pages.isFetchingNextPage ? "app.loading" : "app.more")}
      </Button>
    </div>
  );
}
