import { Link, useParams } from "react-router";
import { isAddressEqual } from "viem";
import { useJob } from "@/shared/api/get-job.ts";
import type { JobRow } from "@/shared/api/schemas.ts";
import { paths } from "@/shared/paths.ts";
import { leaseIntervalOf } from "@/shared/trade/lease-policy.ts";
import { useOrderedJob } from "@/shared/trade/ordered-job.ts";
import { signingDomain } from "@/shared/trade/terms.ts";
import { Failure } from "@/shared/ui/failure.tsx";
import { Hash } from "@/shared/ui/hash.tsx";
import { StateBadge } from "@/shared/ui/state-badge.tsx";
import { Waiting } from "@/shared/ui/waiting.tsx";
import { useTrader } from "@/shared/wallet/use-trader.ts";
import { useCoSigned } from "./co-signed.ts";
import { CoSigning } from "./co-signing.tsx";
import { useContests } from "./contests.ts";
import { LastWord } from "./last-word.tsx";
import { LeaseFacts } from "./lease-facts.tsx";
import type { Metered } from "./meter.ts";
import { MeterTable } from "./meter-table.tsx";
import { useMeter } from "./use-meter.ts";

/** A metered lease: its meter for everybody, and the buyer's hand on it for the buyer. */
export function LeasePage() {
  const { jobId = "" } = useParams();
  const job = useJob(jobId);
  const ordered = useOrderedJob(job.data?.terms?.spec);
  const error = job.error ?? ordered.error;
  const intervalS = ordered.data && leaseIntervalOf(ordered.data.policy);
  return (
    <>
      <h1>
        Lease <Hash value={jobId} />
      </h1>
      {job.isPending && <Waiting>Waiting until the node has read the lease from the chain …</Waiting>}
      <Failure error={error} onRetry={() => void (job.error ? job.refetch() : ordered.refetch())} />
      {job.data && ordered.data && intervalS === undefined && (
        <p className="notice">
          This is no metered lease: <Link to={paths.job(jobId)}>look at it as a job</Link>.
        </p>
      )}
      {job.data && ordered.data && intervalS !== undefined && (
        <Lease
          key={jobId}
          job={job.data}
          intervalS={intervalS}
          environment={String(ordered.data.document.environment)}
        />
      )}
    </>
  );
}

interface LeaseProps {
  readonly job: JobRow;
  readonly intervalS: number;
  readonly environment: string;
}

function Lease({ job, intervalS, environment }: LeaseProps) {
  const { address, config } = useTrader();
  const { terms } = job;
  const live = job.state === "open";
  const lease: Metered | undefined = terms
    ? { job: job.id, provider: terms.provider, intervalS, domain: signingDomain(config) }
    : undefined;
  const meter = useMeter(lease, live);
  const signed = useCoSigned(lease, terms?.verifier, live);
  const contests = useContests(job.id, live);
  const entries = meter.data ?? [];
  const contested = contests.data ?? new Map();
  const mine = terms !== null && address !== undefined && isAddressEqual(address, terms.verifier as `0x${string}`);
  return (
    <>
      <p role="status" aria-label="State">
        <StateBadge job={job} />
      </p>
      <Failure
        error={meter.error ?? signed.error ?? contests.error}
        onRetry={() => void Promise.all([meter.refetch(), signed.refetch(), contests.refetch()])}
      />
      {live && mine && meter.isSuccess && signed.data && (
        <>
          <CoSigning job={job} environment={environment} entries={entries} signed={signed.data} contested={contested} />
          {signed.data.isFinal && <LastWord job={job} signed={signed.data} />}
        </>
      )}
      <LeaseFacts
        job={job}
        intervalS={intervalS}
        metered={entries.at(-1)?.units ?? 0}
        signed={signed.data?.units ?? 0}
      />
      <p>
        <Link to={paths.job(job.id)}>What was ordered, what came out, and every event on the chain</Link>
      </p>
      <h2>Meter</h2>
      {entries.length === 0 && meter.isSuccess ? (
        live ? (
          <Waiting>Waiting for the provider’s first reading …</Waiting>
        ) : (
          <p className="muted">Nothing was metered.</p>
        )
      ) : (
        <MeterTable entries={entries} signed={signed.data?.units ?? 0} contested={contested} />
      )}
    </>
  );
}
