import { PageError } from "@/shared/errors/page-error.ts";

/** Credits have 18 decimals; an atom is the smallest part. */
export const CREDIT_DECIMALS = 18;
export const MAX_CREDITS = 2n ** 104n - 1n;

const DECIMAL = /^(0|[1-9]\d*)(?:\.(\d+))?$/;

/** Atoms as people write them: exact, without trailing zeros. */
export function formatAmount(atoms: bigint, decimals: number = CREDIT_DECIMALS): string {
  const sign = atoms < 0n ? "-" : "";
  const digits = (atoms < 0n ? -atoms : atoms).toString().padStart(decimals + 1, "0");
  const whole = digits.slice(0, digits.length - decimals);
  const places = digits.slice(digits.length - decimals).replace(/0+$/, "");
  return places === "" ? `${sign}${whole}` : `${sign}${whole}.${places}`;
}

/** An amount as people write it (`1.5`), as atoms. Throws `PageError`. */
export function parseAmount(text: string, decimals: number = CREDIT_DECIMALS): bigint {
  const match = DECIMAL.exec(text.trim());
  if (match === null || text.length > 100) throw new PageError(`Write an amount like 12 or 0.05, not “${text}”.`);
  const places = match[2] ?? "";
  if (places.length > decimals) throw new PageError(`“${text}” has more than ${decimals} decimal places: shorten it.`);
  return BigInt(match[1] ?? "0") * 10n ** BigInt(decimals) + BigInt(places.padEnd(decimals, "0") || "0");
}

/** Digits in groups of three. */
export function formatWhole(value: bigint | number): string {
  return value.toString().replace(/\B(?=(\d{3})+(?!\d))/g, "\u202f");
}
