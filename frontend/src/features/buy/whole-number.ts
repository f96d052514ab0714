import { PageError } from "@/shared/errors/page-error.ts";

/** Reads a whole number. Throws `PageError`, which names the field and its bounds. */
export function wholeNumber(what: string, text: string, least: number, most: number): number {
  const value = /^\d{1,16}$/.test(text.trim()) ? Number(text) : Number.NaN;
  if (!(value >= least && value <= most)) {
    throw new PageError(`${what} has to be a whole number between ${least} and ${most}, not “${text}”.`);
  }
  return value;
}
