import type { Address } from "viem";
import { useScores } from "@/shared/api/get-scores.ts";
import { useJobs } from "@/shared/api/list-jobs.ts";
import { formatBps } from "@/shared/money/share.ts";
import { ConnectFirst } from "@/shared/ui/connect-first.tsx";
import { Credits } from "@/shared/ui/credits.tsx";
import { Facts } from "@/shared/ui/facts.tsx";
import { Failure } from "@/shared/ui/failure.tsx";
import { JobTable } from "@/shared/ui/job-table.tsx";
import { NextPage } from "@/shared/ui/next-page.tsx";
import { Waiting } from "@/shared/ui/waiting.tsx";
import { Balance } from "./balance.tsx";
import { Stake } from "./stake.tsx";
import { totalsOf } from "./totals.ts";

const COLUMNS = ["state", "buyer", "units", "earned", "fee", "closed"] as const;

/** What the connected account earned as a provider, and the way to claim it. */
export function EarningsPage() {
  return (
    <>
      <h1>Earnings</h1>
      <ConnectFirst to="see what you earned">{(address) => <Earned key={address} address={address} />}</ConnectFirst>
    </>
  );
}

function Earned({ address }: { readonly address: Address }) {
  const jobs = useJobs("provider", address);
  const scores = useScores(address);
  const rows = jobs.data?.pages.flatMap((page) => page.items) ?? [];
  const totals = totalsOf(rows);
  return (
    <>
      <Balance address={address} />
      <Stake address={address} />
      <h2>Jobs</h2>
      <Failure error={jobs.error ?? scores.error} onRetry={() => void jobs.refetch()} />
      {jobs.isPending && <Waiting>Reading your jobs …</Waiting>}
      {jobs.isSuccess && rows.length === 0 && (
        <p className="notice">
          No job has run on your machines yet. <code>computility provider</code> starts an agent that offers them.
        </p>
      )}
      {rows.length > 0 && (
        <>
          <Facts
            rows={[
              [jobs.hasNextPage ? "Jobs shown" : "Jobs", `${totals.settled} settled, ${totals.live} live`],
              ["Earned with them", <Credits key="earned" atoms={totals.earned} />],
              ["Fees paid", <Credits key="fees" atoms={totals.fees} />],
              ["Bonds lost", <Credits key="lost" atoms={totals.lostBonds} />],
              ["Score", scores.data ? formatBps(scores.data.provider.score_bps) : "—"],
            ]}
          />
          <JobTable caption="Jobs on your machines, the newest first" columns={COLUMNS} jobs={rows} />
        </>
      )}
      <NextPage query={jobs} />
    </>
  );
}
