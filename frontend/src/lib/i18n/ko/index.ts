import type { en } from "../en";
import type { Texts } from "../texts";
import { books } from "./books";
import { incidents } from "./incidents";
import { market } from "./market";
import { origins } from "./origins";
import { refusals } from "./refusals";
import { shell } from "./shell";
import { trading } from "./trading";

export const ko: Texts<typeof en> = {
  ...shell,
  ...market,
  ...trading,
  ...books,
  ...origins,
  ...incidents,
  ...refusals,
};
