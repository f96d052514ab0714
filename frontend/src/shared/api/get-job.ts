import { useQuery } from "@tanstack/react-query";
import { ApiProblem, isNotYetThere } from "./problem.ts";
import { get } from "./request.ts";

const EVERY_MS = 4_000;
const PATIENCE = 30;

export const jobKey = (jobId: string) => ["job", jobId] as const;

/** One job. A job that was just opened appears once the node has read its block, so a 404 is asked again for half a minute. */
export function useJob(jobId: string) {
  return useQuery({
    queryKey: jobKey(jobId),
    queryFn: ({ signal }) => get("/v1/jobs/{job_id}", { path: { job_id: jobId }, signal }),
    retry: (failures, error) => failures < (isNotYetThere(error) ? PATIENCE : error instanceof ApiProblem ? 0 : 2),
    retryDelay: 1_000,
    refetchInterval: ({ state }) => (state.data && state.data.state !== "closed" ? EVERY_MS : false),
  });
}
