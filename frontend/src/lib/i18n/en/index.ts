import { books } from "./books";
import { incidents } from "./incidents";
import { market } from "./market";
import { origins } from "./origins";
import { refusals } from "./refusals";
import { shell } from "./shell";
import { trading } from "./trading";

export const en = {
  ...shell,
  ...market,
  ...trading,
  ...books,
  ...origins,
  ...incidents,
  ...refusals,
} as const;
