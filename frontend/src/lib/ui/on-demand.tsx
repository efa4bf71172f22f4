import { type ComponentType, useEffect, useRef, useState } from "react";
import { problemFromFailure } from "@/lib/api/problem";
import { problemSentence } from "@/lib/i18n/sentences";
import { showToast } from "@/lib/toasts";

/**
 * A window whose code is fetched when it is first opened, or before, in a quiet moment; from then on it is there at once. Where the code
 * cannot be had, that is said and the window counts as closed.
 */
export function onDemand<Props extends { onClose: () => void }>(
  fetchPart: () => Promise<{ default: ComponentType<Props> }>,
) {
  let part: ComponentType<Props> | null = null;
  const load = async () => {
    part ??= (await fetchPart()).default;
  };
  function OnDemand(props: Props) {
    const [, setLoaded] = useState(part !== null);
    const latest = useRef(props);
    latest.current = props;
    useEffect(() => {
      if (part !== null) return;
      let isGone = false;
      const fail = (failure: unknown) => {
        showToast({ tone: "bad", title: problemSentence(problemFromFailure(failure)) });
        if (!isGone) latest.current.onClose();
      };
      load().then(() => !isGone && setLoaded(true), fail);
      return () => {
        isGone = true;
      };
    }, []);
    const Part = part;
    return Part === null ? null : <Part {...props} />;
  }
  return Object.assign(OnDemand, { load });
}
