import { describe, expect, test } from "vitest";
import { PageError } from "@/shared/errors/page-error.ts";
import { formatAmount, formatWhole, MAX_CREDITS, parseAmount } from "./amount.ts";

describe("amounts", () => {
  test.each([
    [0n, "0"],
    [1n, "0.000000000000000001"],
    [10n ** 18n, "1"],
    [1_500_000_000_000_000_000n, "1.5"],
    [-1_500_000_000_000_000_000n, "-1.5"],
    [MAX_CREDITS, "20282409603651.670423947251286015"],
  ])("%d atoms are written %s and read back", (atoms, text) => {
    expect(formatAmount(atoms)).toBe(text);
    if (atoms >= 0n) expect(parseAmount(text)).toBe(atoms);
  });

  test("the reserve has its own decimals", () => {
    expect(formatAmount(1_234_500n, 6)).toBe("1.2345");
    expect(formatAmount(7n, 0)).toBe("7");
    expect(parseAmount("1.2345", 6)).toBe(1_234_500n);
  });

  test.each(["", "1,5", "-1", "1e3", ".5", "01", "1.", "0x10", "1".repeat(101)])("“%s” is refused", (text) => {
    expect(() => parseAmount(text)).toThrow(PageError);
  });

  test("more places than the token has are refused rather than rounded", () => {
    expect(() => parseAmount("0.0000001", 6)).toThrow("more than 6 decimal places");
  });

  test("digits stand in groups of three", () => {
    expect(formatWhole(1_234_567n)).toBe("1\u202f234\u202f567");
    expect(formatWhole(999)).toBe("999");
  });
});
