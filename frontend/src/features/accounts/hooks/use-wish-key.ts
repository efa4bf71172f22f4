import { useRef } from "react";
import { randomUuid } from "@/lib/random";

/** Gives a wish its key: the same one as long as the same is wished for and not done, so that it is done once. */
export function useWishKey<Wish>() {
  const last = useRef({ wish: "", key: "" });
  const keyed = (wish: Wish): [Wish, string] => {
    const text = JSON.stringify(wish);
    if (last.current.wish !== text) last.current = { wish: text, key: randomUuid() };
    return [wish, last.current.key];
  };
  const done = () => {
    last.current = { wish: "", key: "" };
  };
  return { keyed, done };
}
