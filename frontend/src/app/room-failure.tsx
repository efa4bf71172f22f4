import { useTranslation } from "react-i18next";
import { Button } from "@/lib/ui/button";
import { Panel } from "@/lib/ui/panel";

/**
 * A room that could not be shown: its script did not arrive, or it has a defect. The rest of the page stays; after an
 * update of the server the old scripts are gone, and a reload brings the new ones.
 */
export function RoomFailure() {
  const { t } = useTranslation();
  return (
    <Panel title={t("app.roomFailed")} className="m-auto max-w-md p-4">
      <div role="alert" className="flex flex-col items-start gap-3 p-3">
        <p className="text-[13px] text-soft">{t("app.roomFailedHint")}</p>
        <Button look="primary" onClick={() => window.location.reload()}>
          {t("app.reload")}
        </Button>
      </div>
    </Panel>
  );
}
