import { useQuery } from "@tanstack/react-query";
import { isHandedBack } from "./problem.ts";
import { get } from "./request.ts";

const EVERY_MS = 3_000;

/** What a job produced; asked again until the provider has uploaded it. */
export function useJobOutputs(jobId: string, enabled: boolean) {
  return useQuery({
    queryKey: ["outputs", jobId],
    queryFn: ({ signal }) => get("/v1/jobs/{job_id}/outputs", { path: { job_id: jobId }, signal }),
    enabled,
    retry: false,
    refetchInterval: ({ state }) =>
      isHandedBack(state.error) || state.data?.files.every((file) => file.available) ? false : EVERY_MS,
  });
}
