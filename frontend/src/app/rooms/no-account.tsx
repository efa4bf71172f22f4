import { useTranslation } from "react-i18next";
import { FirstSteps } from "@/features/accounts/components/first-steps";
import type { Account } from "@/lib/api/types";
import { LoadFailure } from "@/lib/ui/notice";
import { Empty } from "@/lib/ui/panel";

interface Props {
  /** What is known of the accounts. */
  accounts: {
    data: readonly Account[] | undefined;
    isError: boolean;
    error: unknown;
    refetch: () => unknown;
  };
}

/** A room of an account while none is known: that they are asked for or could not be, or the way to the first one. */
export function NoAccount({ accounts }: Props) {
  const { t } = useTranslation();
  if (accounts.data === undefined) {
    if (!accounts.isError) return <Empty>{t("app.loading")}</Empty>;
    const what = t("header.accounts");
    return <LoadFailure what={what} failure={accounts.error} onRetry={() => accounts.refetch()} />;
  }
  return (
    <div className="mx-auto w-full max-w-md p-4">
      <FirstSteps account={null} />
    </div>
  );
}
