import { useQuery } from "@tanstack/react-query";
import { get } from "@/shared/api/request.ts";

const EVERY_MS = 4_000;

/** What the buyer of a lease contested: reasons by the digest of the reading. */
export function useContests(jobId: string, live: boolean) {
  return useQuery({
    queryKey: ["meter-contests", jobId],
    queryFn: async ({ signal }): Promise<ReadonlyMap<string, string>> => {
      const { items } = await get("/v1/jobs/{job_id}/meter-contests", { path: { job_id: jobId }, signal });
      return new Map(items.map(({ message }) => [message.reading, message.reason]));
    },
    refetchInterval: live ? EVERY_MS : false,
  });
}
