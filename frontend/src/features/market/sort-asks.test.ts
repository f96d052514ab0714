import { expect, test } from "vitest";
import type { AskRow } from "@/shared/api/schemas.ts";
import { type Sorting, sortAsks } from "./sort-asks.ts";

function ask(id: string, unitPrice: string, score: number | null, capacity: number): AskRow {
  const message = { unitPrice, provider: `0x${id}` };
  return {
    ask: { id, message },
    resource: { urn: `urn:${id}` },
    provider_score_bps: score,
    capacity_left: capacity,
  } as never;
}

const asks = [ask("b", "9", 5_000, 2), ask("a", "10", null, 4), ask("c", "10000000000000000001", 9_000, 0)];
const order = (sorting: Sorting) =>
  sortAsks(asks, sorting)
    .map((row) => row.ask.id)
    .join("");

test("prices are compared as numbers, beyond what a float can tell apart", () => {
  expect(order({ key: "price", descending: false })).toBe("bac");
  expect(order({ key: "price", descending: true })).toBe("cab");
  const near = [ask("x", "10000000000000000001", 0, 0), ask("y", "10000000000000000000", 0, 0)];
  expect(sortAsks(near, { key: "price", descending: false }).map((row) => row.ask.id)).toEqual(["y", "x"]);
});

test("a newcomer stands below everybody with a score", () => {
  expect(order({ key: "score", descending: true })).toBe("cba");
});

test("other columns", () => {
  expect(order({ key: "resource", descending: false })).toBe("abc");
  expect(order({ key: "provider", descending: true })).toBe("cba");
  expect(order({ key: "capacity", descending: true })).toBe("abc");
});

test("equals keep the market's order, and the market's list is left as it is", () => {
  const equal = [ask("z", "1", 0, 0), ask("y", "1", 0, 0)];
  expect(sortAsks(equal, { key: "price", descending: true }).map((row) => row.ask.id)).toEqual(["z", "y"]);
  expect(equal.map((row) => row.ask.id)).toEqual(["z", "y"]);
});
