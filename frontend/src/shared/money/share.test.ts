import { expect, test } from "vitest";
import { formatBps, shareDown, shareUp } from "./share.ts";

test("shares round the way their name says", () => {
  expect(shareUp(10_001n, 1)).toBe(2n);
  expect(shareDown(19_999n, 1)).toBe(1n);
  expect(shareUp(20_000n, 1)).toBe(2n);
  expect(shareUp(0n, 10_000)).toBe(0n);
});

test.each([
  [0, "0 %"],
  [5, "0.05 %"],
  [50, "0.5 %"],
  [100, "1 %"],
  [5_163, "51.63 %"],
  [10_000, "100 %"],
])("%d basis points are %s", (bps, text) => expect(formatBps(bps)).toBe(text));
