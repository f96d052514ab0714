import {
  BaseError,
  ContractFunctionExecutionError,
  ContractFunctionRevertedError,
  encodeErrorResult,
  HttpRequestError,
  UserRejectedRequestError,
} from "viem";
import { expect, test } from "vitest";
import { jobEscrowAbi } from "@/generated/abis.ts";
import { ApiProblem, NodeUnreachable, type Problem } from "@/shared/api/problem.ts";
import { explain } from "./explain.ts";
import { PageError } from "./page-error.ts";

function reverted(data: `0x${string}` | undefined, message?: string) {
  const cause = new ContractFunctionRevertedError({
    abi: jobEscrowAbi,
    functionName: "paused",
    ...(data && { data }),
    ...(message && { message }),
  });
  return new ContractFunctionExecutionError(cause, { abi: jobEscrowAbi, functionName: "paused" });
}

test("a custom error is decoded by the ABI and told with its numbers", () => {
  const data = encodeErrorResult({ abi: jobEscrowAbi, errorName: "FeeTooHigh", args: [150, 100] });
  expect(explain(reverted(data))).toBe(
    "The protocol fee is 1.5 % now, above the 1 % that the terms allow: ask for a new quote.",
  );
});

test("a revert without data still says what to do", () => {
  expect(explain(reverted(undefined))).toMatch(/^The contract refused.*reload and try again\.$/);
});

test.each([
  new BaseError("outer", { cause: new UserRejectedRequestError(new Error("User rejected")) }),
  Object.assign(new Error("denied"), { code: 4001 }),
])("a refusal in the wallet loses nothing", (error) => {
  expect(explain(error)).toContain("You declined in the wallet");
});

test("a chain that does not answer is not taken for a node that does not", () => {
  expect(explain(new HttpRequestError({ url: "http://127.0.0.1/rpc" }))).toContain("The chain does not answer");
  expect(explain(new NodeUnreachable("fetch failed"))).toContain("The node does not answer");
});

test("the node's problem is told as it says it, as a sentence", () => {
  const problem = {
    type: "urn:x",
    title: "X",
    status: 422,
    code: "terms-mismatch",
    detail: "the ask is over: choose another",
  };
  expect(explain(new ApiProblem(problem as Problem))).toBe("The ask is over: choose another.");
});

test("wallet library errors are recognised by name", () => {
  expect(explain(Object.assign(new Error("x"), { name: "ConnectorChainMismatchError" }))).toContain("another chain");
  expect(explain(Object.assign(new BaseError("x"), { name: "ConnectorNotConnectedError" }))).toContain("connect it");
});

test("the page's own sentences stand, and what is unknown is still a sentence", () => {
  expect(explain(new PageError("Choose a program."))).toBe("Choose a program.");
  expect(explain(new Error("boom\nstack"))).toBe("Boom; reload and try again.");
  expect(explain("boom")).toMatch(/\.$/);
});
