/** Which part of an account is shown; it stands in the address, so that a link can lead there. */
export const ACCOUNT_PARTS = ["cash", "statement", "import", "broker", "reset"] as const;
export type AccountPart = (typeof ACCOUNT_PARTS)[number];

export interface AccountSearch {
  part?: AccountPart;
}

/** Reads what an address says; what is no part is left out. */
export function readAccountSearch(address: Record<string, unknown>): AccountSearch {
  const part = ACCOUNT_PARTS.find((known) => known === address.part);
  return part === undefined ? {} : { part };
}
