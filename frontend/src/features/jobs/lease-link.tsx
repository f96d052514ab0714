import { Link } from "react-router";
import type { JobRow } from "@/shared/api/schemas.ts";
import { paths } from "@/shared/paths.ts";
import { leaseIntervalOf } from "@/shared/trade/lease-policy.ts";
import { useOrderedJob } from "@/shared/trade/ordered-job.ts";

/** The way to a lease's meter; nothing for a job that is none. */
export function LeaseLink({ job }: { readonly job: JobRow }) {
  const { data } = useOrderedJob(job.terms?.spec);
  if (data === undefined || leaseIntervalOf(data.policy) === undefined) return null;
  return (
    <p className="notice">
      This is a metered lease. <Link to={paths.lease(job.id)}>See its meter</Link>, co-sign it, or end it.
    </p>
  );
}
