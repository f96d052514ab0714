import type { JobRow } from "@/shared/api/schemas.ts";
import { formatBps } from "@/shared/money/share.ts";
import { AccountName } from "@/shared/ui/account-name.tsx";
import { Credits } from "@/shared/ui/credits.tsx";
import { Facts } from "@/shared/ui/facts.tsx";
import { TimeOf } from "@/shared/ui/time-of.tsx";

const CONFIRMATION: Record<JobRow["confirmation"], string> = {
  latest: "in the newest blocks, which the chain could still replace",
  safe: "safe",
  finalized: "final",
};

/** Where a job's money is or went, who its parties are, and until when. */
export function JobFacts({ job }: { readonly job: JobRow }) {
  const { terms } = job;
  return (
    <>
      <h2>Money</h2>
      <Facts
        rows={[
          ["Escrowed", <Credits key="escrow" atoms={job.escrow} />],
          ["Units settled", job.units ?? `${job.accepted} accepted so far`],
          ["Paid to the provider", <Credits key="paid" atoms={job.provider_paid} />],
          [
            "Protocol fee",
            <span key="fee">
              <Credits atoms={job.fee} />{" "}
              {job.fee_bps !== null && <span className="muted">{formatBps(job.fee_bps)}</span>}
            </span>,
          ],
          ["Paid to the verifier", <Credits key="verifier" atoms={job.verifier_paid} />],
          ["Paid to the arbiter", <Credits key="arbiter" atoms={job.arbiter_paid} />],
          ["Refunded", <Credits key="refund" atoms={job.refund} />],
          ["Bond returned", <Credits key="bond" atoms={job.bond_returned} />],
          ["Bond to the buyer", <Credits key="slashed" atoms={job.bond_to_buyer} />],
        ]}
      />
      {terms && (
        <>
          <h2>Parties</h2>
          <Facts
            rows={[
              ["Buyer", <AccountName key="buyer" address={terms.buyer} full />],
              ["Payer", <AccountName key="payer" address={terms.payer} full />],
              ["Provider", <AccountName key="provider" address={terms.provider} full />],
              ["Verifier", <AccountName key="verifier" address={terms.verifier} full />],
              ["Arbiter", <AccountName key="arbiter" address={terms.arbiter} full />],
              ["Resource", job.resource ?? <code key="resource">{terms.resource}</code>],
              ["Environment", job.environment ?? "not told by any ask"],
              ["Opened", <TimeOf key="opened" seconds={job.opened_at} />],
              job.state === "closed"
                ? ["Closed", <TimeOf key="closed" seconds={job.closed_at} />]
                : [job.state === "open" ? "Ends" : "Window ends", <TimeOf key="deadline" seconds={job.deadline} />],
              ["On the chain", CONFIRMATION[job.confirmation]],
            ]}
          />
        </>
      )}
    </>
  );
}
