import { formatWhole } from "@/shared/money/amount.ts";

/** A number and what is counted: `1 job`, `2 jobs`. */
export function count(number: number, one: string, many: string = `${one}s`): string {
  return `${formatWhole(number)} ${number === 1 ? one : many}`;
}
