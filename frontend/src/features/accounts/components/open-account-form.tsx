import { useMutation, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { useTranslation } from "react-i18next";
import type { Account, BrokerName, Currency, Simulation } from "@/lib/api/types";
import { currencyOf } from "@/lib/currency";
import { fieldRefusal, problemSentence, restSentence } from "@/lib/i18n/sentences";
import { setPreferences, usePreferences } from "@/lib/preferences";
import { queryKeys } from "@/lib/query-keys";
import { showToast } from "@/lib/toasts";
import { Button } from "@/lib/ui/button";
import { Field } from "@/lib/ui/field";
import { Notice } from "@/lib/ui/notice";
import { Segmented } from "@/lib/ui/segmented";
import { type OpeningWish, openAccount } from "../api/accounts";
import type { MarginSwitches } from "../api/margin";
import { chooseSimulation, SIMULATIONS } from "../api/simulation";
import { useWishKey } from "../hooks/use-wish-key";
import { MarginChoice } from "./margin-choice";

const ACCOUNT_NAME_LENGTH_MAX = 60;

/** Where accounts can be opened, and in which currencies. */
const BROKERS: readonly { name: BrokerName; currencies: readonly Currency[] }[] = [
  { name: "simulator", currencies: ["USD", "KRW"] },
  { name: "alpaca", currencies: ["USD"] },
  { name: "kiwoom", currencies: ["KRW"] },
];

const OWN_ALONE: MarginSwitches = { margin: false, shortSelling: false };

interface Props {
  currency?: Currency;
  onOpened?: (account: Account) => void;
}

/** Opens an account, of play money or at a broker, and makes it the chosen one. */
export function OpenAccountForm({ currency: preset, onOpened }: Props) {
  const { t, i18n } = useTranslation();
  const queries = useQueryClient();
  const [name, setName] = useState<string>(t("accounts.nameDefault"));
  const [broker, setBroker] = useState<BrokerName>("simulator");
  const [wish, setWish] = useState<Currency>(preset ?? (i18n.language === "ko" ? "KRW" : "USD"));
  const [simulation, setSimulation] = useState<Simulation>("ideal");
  const [switches, setSwitches] = useState(OWN_ALONE);
  const offered = BROKERS.filter(({ currencies }) => preset === undefined || currencies.includes(preset));
  const taken = BROKERS.find((known) => known.name === broker)?.currencies ?? [];
  const currency = taken.includes(wish) ? wish : (taken[0] ?? wish);
  const isPlay = broker === "simulator";
  // Only dollars and American shares are lent; an account in won that comes to hold dollars can be switched later.
  const lends = isPlay && currency === "USD";
  const wishKey = useWishKey<OpeningWish>();
  const opening = useMutation({
    mutationFn: async () => {
      const wish = { name: name.trim(), currency, broker, ...(lends && switches.margin && switches) };
      const account = await openAccount(...wishKey.keyed(wish));
      // The account is open whatever becomes of this; how real it is can be chosen again.
      if (isPlay && simulation !== "ideal")
        await chooseSimulation(account.id, simulation).catch((failure) =>
          showToast({ tone: "bad", title: problemSentence(failure) }),
        );
      return account;
    },
    onSuccess: (account) => {
      wishKey.done();
      queries.setQueryData<Account[]>(queryKeys.accounts, (known = []) => [
        ...known.filter(({ id }) => id !== account.id),
        account,
      ]);
      const { symbol } = usePreferences.getState();
      // A share of another currency cannot be traded here: let the desk show one that can.
      const keeps = symbol === null || currencyOf(symbol) === account.currency;
      setPreferences({ accountId: account.id, ...(!keeps && { symbol: null }) });
      showToast({ tone: "good", title: t("accounts.opened", { name: account.name }) });
      onOpened?.(account);
    },
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    opening.mutate();
  };
  const rest = restSentence(opening.error, ["name"]);
  return (
    <form onSubmit={submit} className="space-y-3">
      {offered.length > 1 && (
        <Segmented
          legend={t("accounts.broker")}
          value={broker}
          onChange={setBroker}
          options={offered.map((known) => ({
            value: known.name,
            label: t(`accounts.brokers.${known.name}`),
          }))}
        />
      )}
      <p className="text-[13px] text-soft">{t(isPlay ? "accounts.openHint" : "accounts.openAtBrokerHint")}</p>
      <Field
        label={t("accounts.name")}
        value={name}
        onChange={(event) => setName(event.target.value)}
        required
        maxLength={ACCOUNT_NAME_LENGTH_MAX}
        error={fieldRefusal(opening.error, "name")}
      />
      <Segmented
        legend={t("accounts.currency")}
        value={currency}
        onChange={setWish}
        options={taken.map((value) => ({
          value,
          label: t(value === "USD" ? "accounts.usd" : "accounts.krw"),
        }))}
      />
      <p className="text-soft text-xs">{t("accounts.currencyHint")}</p>
      {isPlay && (
        <>
          <Segmented
            legend={t("simulation.title")}
            size="small"
            value={simulation}
            onChange={setSimulation}
            options={SIMULATIONS.map((value) => ({ value, label: t(`simulation.name.${value}`) }))}
          />
          <p className="text-soft text-xs">{t(`simulation.hint.${simulation}`)}</p>
        </>
      )}
      {lends && (
        <fieldset className="space-y-1.5">
          <legend className="sr-only">{t("margin.title")}</legend>
          <MarginChoice switches={switches} onChange={setSwitches} />
          {switches.margin && <p className="text-soft text-xs">{t("margin.openHint")}</p>}
        </fieldset>
      )}
      {rest !== null && <Notice tone="bad">{rest}</Notice>}
      <Button type="submit" look="primary" className="w-full" disabled={opening.isPending}>
        {t("accounts.open")}
      </Button>
    </form>
  );
}
