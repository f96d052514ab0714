import type { JobRow } from "@/shared/api/schemas.ts";

export interface Totals {
  readonly settled: number;
  readonly live: number;
  readonly earned: bigint;
  readonly fees: bigint;
  readonly lostBonds: bigint;
}

/** What the jobs of a provider brought, in atoms: pay after fees, the fees, and what was slashed. */
export function totalsOf(jobs: readonly JobRow[]): Totals {
  const sum = (read: (job: JobRow) => string | null) =>
    jobs.reduce((total, job) => total + BigInt(read(job) ?? "0"), 0n);
  const settled = jobs.filter((job) => job.state === "closed").length;
  return {
    settled,
    live: jobs.length - settled,
    earned: sum((job) => job.provider_paid),
    fees: sum((job) => job.fee),
    lostBonds: sum((job) => job.bond_to_buyer) + sum((job) => job.bond_to_treasury),
  };
}
