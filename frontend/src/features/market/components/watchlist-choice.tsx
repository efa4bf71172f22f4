import { type FormEvent, useState } from "react";
import { useTranslation } from "react-i18next";
import { WATCHLIST_NAME_LENGTH_MAX, WATCHLISTS_MAX } from "@/lib/limits";
import {
  addWatchlist,
  chosenWatchlist,
  removeChosenWatchlist,
  setPreferences,
  usePreferences,
} from "@/lib/preferences";
import { Button } from "@/lib/ui/button";
import { Dialog } from "@/lib/ui/dialog";
import { Field } from "@/lib/ui/field";
import { changeWatchlists } from "../hooks/forget";

/** Which watchlist is shown, and the way to another one. */
export function WatchlistChoice() {
  const { t } = useTranslation();
  const lists = usePreferences((state) => state.watchlists);
  const chosen = usePreferences(chosenWatchlist);
  const [adding, setAdding] = useState(false);
  return (
    <div className="flex min-w-0 items-center gap-1">
      {lists.length > 1 && (
        <select
          aria-label={t("market.list")}
          value={chosen.id}
          onChange={(event) => setPreferences({ watchlistId: event.target.value })}
          className="h-7 min-w-0 max-w-28 rounded-md border border-line bg-panel px-1 text-xs"
        >
          {lists.map(({ id, name }) => (
            <option key={id} value={id}>
              {name === "" ? t("market.watchlist") : name}
            </option>
          ))}
        </select>
      )}
      {chosen.name !== "" && (
        <Button
          size="small"
          look="quiet"
          aria-label={t("market.removeList")}
          onClick={() =>
            changeWatchlists(t("market.listRemoved", { name: chosen.name }), removeChosenWatchlist)
          }
        >
          <span aria-hidden="true">✕</span>
        </Button>
      )}
      {lists.length < WATCHLISTS_MAX && (
        <Button size="small" look="quiet" aria-label={t("market.newList")} onClick={() => setAdding(true)}>
          <span aria-hidden="true">+</span>
        </Button>
      )}
      {adding && <NewList onClose={() => setAdding(false)} />}
    </div>
  );
}

function NewList({ onClose }: { onClose: () => void }) {
  const { t } = useTranslation();
  const [name, setName] = useState("");
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (name.trim() === "") return;
    addWatchlist(name.trim());
    onClose();
  };
  return (
    <Dialog title={t("market.newList")} onClose={onClose}>
      <form onSubmit={submit} className="space-y-3">
        <Field
          label={t("market.listName")}
          value={name}
          maxLength={WATCHLIST_NAME_LENGTH_MAX}
          data-autofocus
          autoComplete="off"
          onChange={(event) => setName(event.target.value)}
        />
        <Button type="submit" look="primary" className="w-full" disabled={name.trim() === ""}>
          {t("market.addList")}
        </Button>
      </form>
    </Dialog>
  );
}
