import { useTranslation } from "react-i18next";
import { Select } from "@/lib/ui/field";
import { OptionalFields } from "@/lib/ui/optional-fields";
import { Segmented } from "@/lib/ui/segmented";
import { type Draft, offered } from "../hooks/draft";
import { PriceField, type TypeProps } from "./ticket-fields";

const TYPES: readonly Draft["thenType"][] = ["limit", "stop"];

/** Another order that is placed when this one is filled. */
export function ThenFields({ capabilities, ...props }: TypeProps) {
  const { t } = useTranslation();
  const { draft, onChange } = props;
  const isExit = draft.side === "buy" && draft.thenSide === "sell";
  const lastsAsLong = isExit && capabilities?.nativeGroups?.includes("oto");
  return (
    <OptionalFields
      label={t("ticket.follows")}
      wanted={draft.follows}
      onChange={(follows) => onChange({ follows })}
    >
      <p className="text-soft text-xs">{t(lastsAsLong ? "ticket.thenLastHint" : "ticket.thenHint")}</p>
      <div className="grid grid-cols-2 items-end gap-2">
        <Segmented
          legend={t("ticket.thenSide")}
          value={draft.thenSide}
          onChange={(thenSide) => onChange({ thenSide })}
          options={[
            { value: "buy", label: t("ticket.buy") },
            { value: "sell", label: t("ticket.sell") },
          ]}
        />
        <Select
          label={t("ticket.thenType")}
          value={draft.thenType}
          onChange={(event) => onChange({ thenType: event.target.value as Draft["thenType"] })}
        >
          {offered(TYPES, capabilities?.orderTypes, draft.thenType).map((type) => (
            <option key={type} value={type}>
              {t(`ticket.types.${type}`)}
            </option>
          ))}
        </Select>
      </div>
      <PriceField field="thenPrice" {...props} />
    </OptionalFields>
  );
}
