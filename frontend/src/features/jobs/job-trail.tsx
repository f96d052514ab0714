import { Link } from "react-router";
import { useJobEvents } from "@/shared/api/list-job-events.ts";
import type { JobRow } from "@/shared/api/schemas.ts";
import { paths } from "@/shared/paths.ts";
import { EventTable } from "@/shared/ui/event-table.tsx";
import { Failure } from "@/shared/ui/failure.tsx";
import { NextPage } from "@/shared/ui/next-page.tsx";

/** Everything that the chain says of a job. */
export function JobTrail({ job }: { readonly job: JobRow }) {
  const version = [job.state, job.outcome, job.accepted, job.pending, job.closed_tx].join();
  const events = useJobEvents(job.id, version);
  const rows = events.data?.pages.flatMap((page) => page.items) ?? [];
  return (
    <>
      <h2>Trail</h2>
      <p>
        <Link to={paths.proof(job.id)}>Prove this trade</Link>: every event below, traced to the hashes of its blocks.
      </p>
      <Failure error={events.error} onRetry={() => void events.refetch()} />
      {rows.length > 0 && <EventTable caption="Every event of this job" events={rows} withJob={false} />}
      <NextPage query={events} />
    </>
  );
}
