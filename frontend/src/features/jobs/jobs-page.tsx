import { Link } from "react-router";
import { useJobs } from "@/shared/api/list-jobs.ts";
import { paths } from "@/shared/paths.ts";
import { ConnectFirst } from "@/shared/ui/connect-first.tsx";
import { Failure } from "@/shared/ui/failure.tsx";
import { JobTable } from "@/shared/ui/job-table.tsx";
import { NextPage } from "@/shared/ui/next-page.tsx";
import { Waiting } from "@/shared/ui/waiting.tsx";
import { useFollowedJobs } from "./followed-jobs.ts";

const COLUMNS = ["state", "provider", "escrowed", "paid", "refunded", "opened"] as const;

/** What the connected account bought. */
export function JobsPage() {
  return (
    <>
      <h1>My jobs</h1>
      <ConnectFirst to="see what you bought">{(address) => <Bought key={address} address={address} />}</ConnectFirst>
    </>
  );
}

function Bought({ address }: { readonly address: string }) {
  const jobs = useJobs("buyer", address);
  const rows = useFollowedJobs(jobs.data?.pages.flatMap((page) => page.items) ?? []);
  return (
    <>
      <Failure error={jobs.error} onRetry={() => void jobs.refetch()} />
      {jobs.isPending && <Waiting>Reading your jobs …</Waiting>}
      {rows.length > 0 && <JobTable caption="Jobs, the newest first" columns={COLUMNS} jobs={rows} />}
      {jobs.isSuccess && rows.length === 0 && (
        <p className="notice">
          You have bought nothing yet. <Link to={paths.market}>Choose an ask on the market.</Link>
        </p>
      )}
      {rows.length > 0 && (
        <p className="muted">
          What comes back from a job is added to your balance in the escrow: spend it on the next one, or{" "}
          <Link to={paths.earnings}>move it to your wallet</Link>.
        </p>
      )}
      <NextPage query={jobs} />
    </>
  );
}
