import { useParams } from "react-router";
import { useJob } from "@/shared/api/get-job.ts";
import { useJobStream } from "@/shared/api/stream-job.ts";
import { Failure } from "@/shared/ui/failure.tsx";
import { Hash } from "@/shared/ui/hash.tsx";
import { StateBadge } from "@/shared/ui/state-badge.tsx";
import { Waiting } from "@/shared/ui/waiting.tsx";
import { JobButtons } from "./job-buttons.tsx";
import { JobFacts } from "./job-facts.tsx";
import { JobOrder } from "./job-order.tsx";
import { JobResult } from "./job-result.tsx";
import { JobTrail } from "./job-trail.tsx";
import { JobVerdict } from "./job-verdict.tsx";
import { LeaseLink } from "./lease-link.tsx";

/** One job, live: where it stands, what it produced, where the money went, and every event behind it. */
export function JobPage() {
  const { jobId = "" } = useParams();
  const job = useJob(jobId);
  useJobStream(jobId, job.data !== undefined && job.data.state !== "closed");
  return (
    <>
      <h1>
        Job <Hash value={jobId} />
      </h1>
      {job.isPending && <Waiting>Waiting until the node has read the job from the chain …</Waiting>}
      <Failure error={job.error} onRetry={() => void job.refetch()} />
      {job.data && (
        <>
          <p role="status" aria-label="State">
            <StateBadge job={job.data} />
          </p>
          <LeaseLink job={job.data} />
          <JobVerdict job={job.data} />
          <JobButtons job={job.data} />
          <JobResult job={job.data} />
          <JobOrder job={job.data} />
          <JobFacts job={job.data} />
          <JobTrail job={job.data} />
        </>
      )}
    </>
  );
}
