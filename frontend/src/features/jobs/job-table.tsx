import { useQuery } from "@tanstack/react-query";
import { Link } from "react-router";
import { jobKey } from "@/shared/api/get-job.ts";
import type { JobRow } from "@/shared/api/schemas.ts";
import { useJobStream } from "@/shared/api/stream-job.ts";
import { paths } from "@/shared/paths.ts";
import { AccountName } from "@/shared/ui/account-name.tsx";
import { Credits } from "@/shared/ui/credits.tsx";
import { Hash } from "@/shared/ui/hash.tsx";
import { StateBadge } from "@/shared/ui/state-badge.tsx";
import { TimeOf } from "@/shared/ui/time-of.tsx";
import { WideTable } from "@/shared/ui/wide-table.tsx";

// A browser opens six connections to a node at most, and the page needs some for itself; the list is polled besides.
const STREAMED = 2;

/** Jobs of a buyer, the newest first. The newest live ones are followed as they change. */
export function JobTable({ jobs }: { readonly jobs: readonly JobRow[] }) {
  const streamed = new Set(
    jobs
      .filter((job) => job.state !== "closed")
      .slice(0, STREAMED)
      .map((job) => job.id),
  );
  return (
    <WideTable caption="Jobs, the newest first">
      <thead>
        <tr>
          <th scope="col">Job</th>
          <th scope="col">State</th>
          <th scope="col">Provider</th>
          <th scope="col">Escrowed</th>
          <th scope="col">Paid</th>
          <th scope="col">Refunded</th>
          <th scope="col">Opened</th>
        </tr>
      </thead>
      <tbody>
        {jobs.map((job) => (
          <JobLine key={job.id} listed={job} streamed={streamed.has(job.id)} />
        ))}
      </tbody>
    </WideTable>
  );
}

function JobLine({ listed, streamed }: { readonly listed: JobRow; readonly streamed: boolean }) {
  useJobStream(listed.id, streamed);
  const pushed = useQuery<JobRow>({ queryKey: jobKey(listed.id), enabled: false });
  // The stream is ahead of the list while the job lives; a closed row in the list is the last word.
  const job = streamed && pushed.data ? pushed.data : listed;
  return (
    <tr>
      <th scope="row">
        <Link to={paths.job(job.id)}>
          <Hash value={job.id} />
        </Link>
      </th>
      <td>
        <StateBadge job={job} />
      </td>
      <td>{job.terms && <AccountName address={job.terms.provider} />}</td>
      <td>
        <Credits atoms={job.escrow} />
      </td>
      <td>
        <Credits atoms={job.provider_paid} />
      </td>
      <td>
        <Credits atoms={job.refund} />
      </td>
      <td>
        <TimeOf seconds={job.opened_at} />
      </td>
    </tr>
  );
}
