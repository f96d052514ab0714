import type { JobRow } from "@/shared/api/schemas.ts";

const CLOSED_BY: Record<NonNullable<JobRow["closed_by"]>, string> = {
  attested: "settled on the verifier's word",
  finalized: "settled when its window had passed",
  ruled: "settled by the arbiter",
  agreed: "settled by agreement",
  reclaimed: "refunded after its end",
  disputed_by_default: "settled by the written default of a dispute",
  cancelled: "cancelled before it opened",
};

const PENDING: Record<NonNullable<JobRow["outcome"]>, string> = {
  no_fault: "the verifier could not tell",
  claim: "the provider claims its pay",
  pass: "passed, waiting",
  fail: "failed, waiting",
};

/** Where a job stands, in words. */
export function stateWords(job: Pick<JobRow, "state" | "outcome" | "closed_by">): string {
  switch (job.state) {
    case "open":
      return "open";
    case "pending":
      return job.outcome ? `pending: ${PENDING[job.outcome]}` : "pending";
    case "disputed":
      return "disputed";
    case "closed":
      return job.closed_by ? CLOSED_BY[job.closed_by] : "closed";
  }
}

export type Tone = "live" | "good" | "bad" | "plain";

/** How a job's state is coloured. The words beside it say the same. */
export function stateTone(job: Pick<JobRow, "state" | "outcome" | "closed_by" | "provider_paid">): Tone {
  if (job.state === "disputed" || job.outcome === "fail") return "bad";
  if (job.state !== "closed") return "live";
  if (job.closed_by === "reclaimed") return "bad";
  return job.provider_paid !== null && job.provider_paid !== "0" ? "good" : "plain";
}
