import { expect, test } from "vitest";
import type { JobRow } from "@/shared/api/schemas.ts";
import { totalsOf } from "./totals.ts";

const closed = (provider_paid: string, fee: string, bond_to_buyer: string, bond_to_treasury: string) =>
  ({ state: "closed", provider_paid, fee, bond_to_buyer, bond_to_treasury }) as JobRow;
const live = { state: "open", provider_paid: null, fee: null, bond_to_buyer: null, bond_to_treasury: null } as JobRow;

test("earnings, fees and lost bonds add up exactly; live jobs add nothing yet", () => {
  const jobs = [closed("9007199254740993", "1", "0", "0"), closed("2", "3", "4", "5"), live];
  expect(totalsOf(jobs)).toEqual({ settled: 2, live: 1, earned: 9_007_199_254_740_995n, fees: 4n, lostBonds: 9n });
});

test("no jobs, no money", () => {
  expect(totalsOf([])).toEqual({ settled: 0, live: 0, earned: 0n, fees: 0n, lostBonds: 0n });
});
