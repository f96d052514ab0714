import type { AskRow } from "@/shared/api/schemas.ts";

export const SORT_KEYS = ["resource", "provider", "score", "price", "capacity"] as const;
export type SortKey = (typeof SORT_KEYS)[number];
export interface Sorting {
  readonly key: SortKey;
  readonly descending: boolean;
}

const COMPARE: Record<SortKey, (a: AskRow, b: AskRow) => number> = {
  resource: (a, b) => compare(a.resource.urn, b.resource.urn),
  provider: (a, b) => compare(a.ask.message.provider.toLowerCase(), b.ask.message.provider.toLowerCase()),
  // A newcomer has proved nothing yet, so it stands below everybody with a score.
  score: (a, b) => compare(a.provider_score_bps ?? -1, b.provider_score_bps ?? -1),
  price: (a, b) => compare(BigInt(a.ask.message.unitPrice), BigInt(b.ask.message.unitPrice)),
  capacity: (a, b) => compare(a.capacity_left, b.capacity_left),
};

/** Asks in another order. Equals keep the order of the market, which is by price. */
export function sortAsks(asks: readonly AskRow[], { key, descending }: Sorting): AskRow[] {
  const sign = descending ? -1 : 1;
  return [...asks].sort((a, b) => sign * COMPARE[key](a, b));
}

function compare<Value extends string | number | bigint>(a: Value, b: Value): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
