import { useTranslation } from "react-i18next";
import { FirstSteps } from "@/features/accounts/components/first-steps";
import { Empty } from "@/lib/ui/panel";

/** A room of an account while there is none: the way to one. */
export function NoAccount({ loading }: { loading: boolean }) {
  const { t } = useTranslation();
  if (loading) return <Empty>{t("app.loading")}</Empty>;
  return (
    <div className="mx-auto w-full max-w-md p-4">
      <FirstSteps account={null} />
    </div>
  );
}
