import type { JobRow } from "@/shared/api/schemas.ts";
import { formatSpan } from "@/shared/time.ts";
import { AccountName } from "@/shared/ui/account-name.tsx";
import { Credits } from "@/shared/ui/credits.tsx";
import { Facts } from "@/shared/ui/facts.tsx";
import { TimeOf } from "@/shared/ui/time-of.tsx";

interface Props {
  readonly job: JobRow;
  readonly intervalS: number;
  /** Seconds. */
  readonly metered: number;
  readonly signed: number;
}

/** Who leases what from whom, how far it has come, and what was paid. */
export function LeaseFacts({ job, intervalS, metered, signed }: Props) {
  const { terms } = job;
  if (terms === null) return null;
  const worth = (seconds: number) => <Credits atoms={String(BigInt(terms.unitPrice) * BigInt(seconds))} />;
  const closed = job.state === "closed";
  return (
    <Facts
      rows={[
        ["Buyer, who co-signs", <AccountName key="buyer" address={terms.verifier} full />],
        ["Provider", <AccountName key="provider" address={terms.provider} full />],
        [
          "Price",
          <span key="price">
            <Credits atoms={terms.unitPrice} /> a second, for {formatSpan(Number(terms.maxUnits))} at most
          </span>,
        ],
        [
          "Metered",
          <span key="metered">
            {formatSpan(metered)}, worth {worth(metered)}
          </span>,
        ],
        [
          "Co-signed",
          <span key="signed">
            {formatSpan(signed)}, worth {worth(signed)}
          </span>,
        ],
        [
          "Ever at risk",
          <span key="risk">
            {formatSpan(intervalS)}, worth {worth(intervalS)}, for either side
          </span>,
        ],
        ...(closed
          ? ([
              ["Paid to the provider", <Credits key="paid" atoms={job.provider_paid} />],
              ["Refunded", <Credits key="refund" atoms={job.refund} />],
              ["Closed", <TimeOf key="closed" seconds={job.closed_at} />],
            ] as const)
          : ([["Ends", <TimeOf key="end" seconds={terms.end} />]] as const)),
      ]}
    />
  );
}
