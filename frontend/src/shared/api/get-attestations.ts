import { useQuery } from "@tanstack/react-query";
import { get } from "./request.ts";
import type { JobRow } from "./schemas.ts";

const EVERY_MS = 4_000;

/** What verifiers have signed of a job so far, and the attestation that most of them share. */
export function useAttestations(job: JobRow) {
  return useQuery({
    queryKey: ["attestations", job.id],
    queryFn: ({ signal }) =>
      get("/v1/jobs/{job_id}/attestations", { path: { job_id: job.id }, query: { limit: 1 }, signal }),
    refetchInterval: job.state === "closed" ? false : EVERY_MS,
  });
}
