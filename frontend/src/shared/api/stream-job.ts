import { useQueryClient } from "@tanstack/react-query";
import { useEffect } from "react";
import { jobKey } from "./get-job.ts";
import { addressOf } from "./request.ts";
import type { JobRow } from "./schemas.ts";

/** Keeps a job's row in the query cache as the node pushes it. Where the stream breaks, the browser reconnects or the polling goes on. */
export function useJobStream(jobId: string, enabled: boolean): void {
  const queryClient = useQueryClient();
  useEffect(() => {
    if (!enabled) return;
    const source = new EventSource(addressOf("/v1/jobs/{job_id}/stream", { job_id: jobId }));
    source.addEventListener("job", (event: MessageEvent<string>) => {
      const row = JSON.parse(event.data) as JobRow;
      queryClient.setQueryData(jobKey(jobId), row);
      void queryClient.invalidateQueries({ queryKey: ["outputs", jobId] });
      if (row.state === "closed") source.close();
    });
    return () => source.close();
  }, [jobId, enabled, queryClient]);
}
