import { zeroAddress } from "viem";
import { contentIdOfDigest } from "@/shared/content/content-id.ts";
import { formatWhole } from "@/shared/money/amount.ts";
import { formatBps } from "@/shared/money/share.ts";
import { formatSpan } from "@/shared/time.ts";
import { escrowOf, type Terms } from "@/shared/trade/terms.ts";
import { AccountName } from "@/shared/ui/account-name.tsx";
import { Credits } from "@/shared/ui/credits.tsx";
import { Facts } from "@/shared/ui/facts.tsx";
import { TimeOf } from "@/shared/ui/time-of.tsx";

/** Terms in full, as they would be signed. */
export function TermsFacts({ terms }: { readonly terms: Terms }) {
  const disputed =
    terms.arbiter === zeroAddress
      ? "nobody: a disputed claim pays what was accepted, and the rest comes back"
      : `has ${formatSpan(terms.rulingWindow)} to rule`;
  return (
    <section aria-label="Terms">
      <h2>Terms</h2>
      <Facts
        rows={[
          ["You escrow", <Credits key="escrow" atoms={escrowOf(terms)} />],
          [
            "That is at most",
            <span key="units">
              {formatWhole(terms.maxUnits)} units at <Credits atoms={terms.unitPrice} /> each,{" "}
              {formatWhole(terms.minUnits)} at least once accepted
            </span>,
          ],
          ["Provider", <AccountName key="provider" address={terms.provider} full />],
          ["The provider risks", <Credits key="bond" atoms={terms.bond} />],
          [
            "Who verifies",
            <span key="verifier">
              <AccountName address={terms.verifier} full />, for <Credits atoms={terms.verifierFee} />
            </span>,
          ],
          [
            "Who arbitrates",
            <span key="arbiter">
              {terms.arbiter !== zeroAddress && (
                <>
                  <AccountName address={terms.arbiter} full />, for <Credits atoms={terms.arbiterFee} />,{" "}
                </>
              )}
              {disputed}
            </span>,
          ],
          ["Open until", <TimeOf key="openBy" seconds={terms.openBy} />],
          ["Ends", <TimeOf key="end" seconds={terms.end} />],
          ["Time to dispute", formatSpan(terms.disputeWindow)],
          ["Protocol fee, paid by the provider", `${formatBps(terms.maxFeeBps)} at most`],
          [
            "Specification",
            <code key="spec" className="long">
              {contentIdOfDigest(terms.spec)}
            </code>,
          ],
        ]}
      />
    </section>
  );
}
