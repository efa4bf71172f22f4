import { useQuery } from "@tanstack/react-query";
import { type KeyboardEvent, useEffect, useId, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import type { Instrument } from "@/lib/api/types";
import { problemSentence } from "@/lib/i18n/sentences";
import { SEARCH_DEBOUNCE_MS } from "@/lib/limits";
import { addToWatchlist, setPreferences } from "@/lib/preferences";
import { useShortcuts } from "@/lib/shortcuts";
import { Button } from "@/lib/ui/button";
import { INPUT_LOOK } from "@/lib/ui/field";
import { PriceKindMark } from "@/lib/ui/price-kind-mark";
import { searchQuery } from "../api/directory";
import { nameOf } from "../hooks/use-watchlist";

const MATCHES_MAX = 8;

/** What is found of a text, or without one the listed shares that are not watched yet. */
function useMatches(text: string, unwatched: readonly Instrument[]): Matches {
  const [settled, setSettled] = useState("");
  const wanted = text.trim();
  useEffect(() => {
    const timer = setTimeout(() => setSettled(wanted), SEARCH_DEBOUNCE_MS);
    return () => clearTimeout(timer);
  }, [wanted]);
  const found = useQuery({ ...searchQuery(settled), enabled: settled !== "" });
  const retry = () => void found.refetch();
  if (wanted === "")
    return { matches: unwatched.slice(0, MATCHES_MAX), pending: false, complete: true, failure: null, retry };
  const current = settled === wanted && !found.isPlaceholderData;
  // A share that nobody quotes can be neither watched nor traded.
  const matches = (found.data?.instruments ?? []).filter(({ source }) => source != null);
  const pending = !current || found.isPending || (found.isError && found.isFetching);
  const complete = found.data?.complete ?? true;
  return { matches, pending, complete, failure: found.data === undefined ? found.error : null, retry };
}

type Match = Pick<Instrument, "symbol" | "name" | "nameKorean"> & { simulated?: boolean | null };

interface Matches {
  matches: readonly Match[];
  pending: boolean;
  /** Whether everybody was asked who may know more. */
  complete: boolean;
  /** Why nothing could be searched, where that is so. */
  failure: unknown;
  retry: () => void;
}

interface Props {
  instruments: readonly Instrument[];
  watched: readonly string[];
}

/** A box that finds a symbol by code, name or Korean initials, adds it to the watchlist and shows it. */
export function SymbolSearch({ instruments, watched }: Props) {
  const { t, i18n } = useTranslation();
  const [text, setText] = useState("");
  const [open, setOpen] = useState(false);
  const [active, setActive] = useState(0);
  const listId = useId();
  const unwatched = instruments.filter(({ symbol }) => !watched.includes(symbol));
  const search = useMatches(text, unwatched);
  const matches = open ? search.matches : [];
  const input = useRef<HTMLInputElement>(null);
  useShortcuts({ "/": () => input.current?.focus() });
  const close = () => {
    setOpen(false);
    setActive(0);
  };
  const clear = () => {
    setText("");
    close();
  };
  const choose = (instrument: Match | undefined) => {
    if (instrument === undefined) return;
    addToWatchlist(watched, instrument.symbol);
    setPreferences({ symbol: instrument.symbol });
    clear();
  };
  // What is shown while the answer is awaited was found of an earlier text.
  const chooseTyped = () => {
    if (!search.pending) choose(matches[active]);
  };
  const onKeyDown = (event: KeyboardEvent) => {
    // The key that ends a Korean syllable is meant for the syllable.
    if (event.nativeEvent.isComposing) return;
    if (event.key === "ArrowDown") setActive((index) => Math.min(index + 1, matches.length - 1));
    else if (event.key === "ArrowUp") setActive((index) => Math.max(index - 1, 0));
    else if (event.key === "Enter") chooseTyped();
    else if (event.key === "Escape") clear();
    else return;
    event.preventDefault();
  };
  return (
    <div className="relative">
      <input
        ref={input}
        role="combobox"
        aria-label={t("market.add")}
        aria-expanded={open}
        aria-controls={listId}
        aria-autocomplete="list"
        aria-activedescendant={matches[active] && `${listId}-${active}`}
        className={INPUT_LOOK}
        placeholder={t("market.addPlaceholder")}
        value={text}
        onChange={(event) => {
          setText(event.target.value);
          setActive(0);
          setOpen(true);
        }}
        onFocus={() => setOpen(true)}
        onBlur={close}
        onKeyDown={onKeyDown}
      />
      <div
        hidden={!open || (matches.length === 0 && text.trim() === "")}
        className="absolute inset-x-0 top-10 z-20 overflow-hidden rounded-md border border-line bg-panel py-1 shadow-lg"
      >
        {matches.length === 0 && <NothingFound search={search} />}
        <div id={listId} role="listbox" aria-label={t("market.add")} hidden={matches.length === 0}>
          {matches.map((instrument, index) => (
            <div
              key={instrument.symbol}
              id={`${listId}-${index}`}
              role="option"
              tabIndex={-1}
              aria-selected={index === active}
              className={`flex cursor-pointer items-baseline gap-2 px-3 py-1.5 ${index === active ? "bg-raised" : ""}`}
              onPointerMove={() => setActive(index)}
              onPointerDown={(event) => {
                // Before the input loses its focus and the list closes.
                event.preventDefault();
                choose(instrument);
              }}
            >
              <span className="font-medium">{instrument.symbol}</span>
              <span className="truncate text-soft text-xs">{nameOf(instrument, i18n.language)}</span>
              {instrument.simulated === true && <PriceKindMark kind="simulated" />}
            </div>
          ))}
        </div>
      </div>
    </div>
  );
}

/** Why the list is empty: it is asked for, there is nothing, or it could not be asked for. */
function NothingFound({ search: { pending, complete, failure, retry } }: { search: Matches }) {
  const { t } = useTranslation();
  if (pending || failure === null) {
    const word = complete ? "market.noMatch" : "market.noMatchYet";
    return <p className="px-3 py-2 text-soft text-xs">{t(pending ? "app.loading" : word)}</p>;
  }
  return (
    <div role="alert" className="flex items-center justify-between gap-2 px-3 py-2 text-bad text-xs">
      <span>
        {t("market.searchFailed")} {problemSentence(failure)}
      </span>
      {/* The input keeps its focus, or the list would close under the pointer. */}
      <Button size="small" onPointerDown={(event) => event.preventDefault()} onClick={retry}>
        {t("app.retry")}
      </Button>
    </div>
  );
}
