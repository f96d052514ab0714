import type { JobRow } from "@/shared/api/schemas.ts";
import { stateTone, stateWords } from "@/shared/trade/job-words.ts";

/** Where a job stands. */
export function StateBadge({ job }: { readonly job: JobRow }) {
  return (
    <span className={`badge ${stateTone(job)}`} data-state={job.state}>
      {stateWords(job)}
    </span>
  );
}
