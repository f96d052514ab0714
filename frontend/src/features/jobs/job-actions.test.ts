import { describe, expect, test } from "vitest";
import type { JobRow } from "@/shared/api/schemas.ts";
import { actionsFor } from "./job-actions.ts";

const BUYER = "0x70997970C51812dc3A010C7d01b50e0d17dc79C8";
const PAYER = "0x90F79bf6EB2c4f870365E785982E1f101E93b906";
const PROVIDER = "0x3C44CdDdB6a900fa2b585dd299e03d12FA4293BC";
const STRANGER = "0x14dC79964da2C08b23698B3D3cc7Ca32193d9955";
const DEADLINE = 100;

function job(state: JobRow["state"]): JobRow {
  return { state, deadline: DEADLINE, terms: { buyer: BUYER, payer: PAYER, provider: PROVIDER } } as JobRow;
}

describe("in time", () => {
  test.each([BUYER, PAYER, PROVIDER])("%s may dispute what is pending", (party) => {
    expect(actionsFor(job("pending"), party, DEADLINE)).toEqual(["dispute"]);
    expect(actionsFor(job("pending"), party.toLowerCase(), DEADLINE)).toEqual(["dispute"]);
  });

  test("a stranger may not", () => expect(actionsFor(job("pending"), STRANGER, DEADLINE)).toEqual([]));

  test.each(["open", "disputed", "closed"] as const)("nothing can be done to a job that is %s", (state) => {
    expect(actionsFor(job(state), BUYER, DEADLINE)).toEqual([]);
  });
});

describe("after the deadline anyone, so that no money is ever stuck,", () => {
  test.each([BUYER, STRANGER])("may reclaim or finalize (%s)", (account) => {
    expect(actionsFor(job("open"), account, DEADLINE + 1)).toEqual(["reclaim"]);
    expect(actionsFor(job("pending"), account, DEADLINE + 1)).toEqual(["finalize"]);
    expect(actionsFor(job("disputed"), account, DEADLINE + 1)).toEqual(["finalize"]);
    expect(actionsFor(job("closed"), account, DEADLINE + 1)).toEqual([]);
  });
});

test("a job that was cancelled before it opened has nothing to act on", () => {
  expect(actionsFor({ state: "closed", terms: null, deadline: null }, BUYER, 0)).toEqual([]);
});
