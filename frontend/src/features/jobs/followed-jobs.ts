import { useQuery } from "@tanstack/react-query";
import { jobKey } from "@/shared/api/get-job.ts";
import type { JobRow } from "@/shared/api/schemas.ts";
import { useJobStream } from "@/shared/api/stream-job.ts";

/**
 * The jobs as listed, the two newest live ones as the node pushes them. A browser opens six connections to a node at most, and the page needs some for itself; the list is polled
 * besides.
 */
export function useFollowedJobs(listed: readonly JobRow[]): readonly JobRow[] {
  const [first, second] = listed.filter((job) => job.state !== "closed");
  const pushed = [useFollowed(first), useFollowed(second)];
  // A stream is ahead of the list while its job lives; a closed row in the list is the last word.
  return listed.map((job) => pushed.find((row) => row?.id === job.id) ?? job);
}

function useFollowed(job: JobRow | undefined): JobRow | undefined {
  const id = job?.id ?? "";
  useJobStream(id, job !== undefined);
  const { data } = useQuery<JobRow>({ queryKey: jobKey(id), enabled: false });
  return job && data;
}
