import { expect, test } from "vitest";
import { type Funds, reserveForShortage } from "./funds.ts";

const funds: Funds = { wallet: 10n, free: 0n, reserve: 0n, scale: 1_000n };

test("the reserve that is swapped covers the shortage, rounded up to its smallest unit", () => {
  expect(reserveForShortage(funds, 1_010n)).toBe(1n);
  expect(reserveForShortage(funds, 1_011n)).toBe(2n);
});

test("nothing is swapped where nothing is short", () => {
  expect(reserveForShortage(funds, 10n)).toBe(0n);
  expect(reserveForShortage(funds, 0n)).toBe(0n);
});
