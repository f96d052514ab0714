import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { get } from "./request.ts";
import type { JobRow } from "./schemas.ts";

const EVERY_MS = 4_000;

/** What verifiers have signed of a job so far, and the attestation that most of them share. */
export function useAttestations(job: JobRow) {
  const closed = job.state === "closed";
  return useQuery({
    // Read once more when the job is closed: the last words may have come since the last look.
    queryKey: ["attestations", job.id, closed],
    queryFn: ({ signal }) =>
      get("/v1/jobs/{job_id}/attestations", { path: { job_id: job.id }, query: { limit: 1 }, signal }),
    refetchInterval: closed ? false : EVERY_MS,
    placeholderData: keepPreviousData,
  });
}
