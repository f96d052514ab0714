import { type Role, useJobs } from "@/shared/api/list-jobs.ts";
import { Failure } from "@/shared/ui/failure.tsx";
import { type JobColumn, JobTable } from "@/shared/ui/job-table.tsx";
import { NextPage } from "@/shared/ui/next-page.tsx";

interface Props {
  readonly as: Role;
  readonly address: string;
  readonly title: string;
}

/** Jobs of an account in one role; nothing where it has none. */
export function AccountJobs({ as: role, address, title }: Props) {
  const jobs = useJobs(role, address);
  const rows = jobs.data?.pages.flatMap((page) => page.items) ?? [];
  if (rows.length === 0) return <Failure error={jobs.error} onRetry={() => void jobs.refetch()} />;
  const other: JobColumn = role === "provider" ? "buyer" : "provider";
  return (
    <section aria-label={title}>
      <h2>{title}</h2>
      <JobTable
        caption={`${title}, the newest first`}
        columns={["state", other, "units", "paid", "refunded", "opened", "settled"]}
        jobs={rows}
      />
      <NextPage query={jobs} />
    </section>
  );
}
