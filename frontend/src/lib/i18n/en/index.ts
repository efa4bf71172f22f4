import { books } from "./books";
import { market } from "./market";
import { refusals } from "./refusals";
import { shell } from "./shell";
import { trading } from "./trading";

export const en = { ...shell, ...market, ...trading, ...books, ...refusals } as const;
