import { isAddressEqual } from "viem";
import type { JobRow } from "@/shared/api/schemas.ts";

export type JobAction = "dispute" | "finalize" | "reclaim";

/** What `account` can do to a job now, as the escrow would let it: after the protocol's table of transitions. `now` in UTC seconds. */
export function actionsFor(
  job: Pick<JobRow, "state" | "terms" | "deadline">,
  account: string,
  now: number,
): JobAction[] {
  const { terms, deadline } = job;
  if (terms === null || deadline === null) return [];
  const over = now > deadline;
  const isParty = [terms.buyer, terms.payer, terms.provider].some((party) =>
    isAddressEqual(party as `0x${string}`, account as `0x${string}`),
  );
  switch (job.state) {
    case "open":
      return over ? ["reclaim"] : [];
    case "pending":
      if (over) return ["finalize"];
      return isParty ? ["dispute"] : [];
    case "disputed":
      return over ? ["finalize"] : [];
    case "closed":
      return [];
  }
}
