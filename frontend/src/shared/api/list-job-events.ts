import { useInfiniteQuery } from "@tanstack/react-query";
import { get } from "./request.ts";

/** Every event behind a job, in the order of the chain. `version` changes whenever the job does. */
export function useJobEvents(jobId: string, version: string) {
  return useInfiniteQuery({
    queryKey: ["job-events", jobId, version],
    queryFn: ({ pageParam, signal }) =>
      get("/v1/jobs/{job_id}/events", { path: { job_id: jobId }, query: { cursor: pageParam, limit: 200 }, signal }),
    initialPageParam: null as string | null,
    getNextPageParam: (page) => page.next ?? null,
    placeholderData: (previous) => previous,
  });
}
