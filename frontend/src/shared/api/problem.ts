import type { components } from "@/generated/api.ts";

export type Problem = components["schemas"]["Problem"];

/** The node refused: `problem.detail` says why and what to do, `problem.code` is stable. */
export class ApiProblem extends Error {
  override name = "ApiProblem";

  constructor(readonly problem: Problem) {
    super(problem.detail);
  }

  get code(): string {
    return this.problem.code;
  }

  get status(): number {
    return this.problem.status;
  }
}

/** No answer from the node at all, or none that a node gives. */
export class NodeUnreachable extends Error {
  override name = "NodeUnreachable";
}

/** Whether waiting may help: the store is still reading the block in which the thing was made. */
export function isNotYetThere(error: unknown): boolean {
  return error instanceof ApiProblem && error.status === 404 && !isHandedBack(error);
}

/** Whether the provider handed the job back: there never will be a result, and the problem's detail has the reason. */
export function isHandedBack(error: unknown): error is ApiProblem {
  return error instanceof ApiProblem && error.code === "job-excused";
}
