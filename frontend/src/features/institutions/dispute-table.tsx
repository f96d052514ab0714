import { Link } from "react-router";
import type { DisputeRow } from "@/shared/api/schemas.ts";
import { formatWhole } from "@/shared/money/amount.ts";
import { formatBps } from "@/shared/money/share.ts";
import { paths } from "@/shared/paths.ts";
import { Hash } from "@/shared/ui/hash.tsx";
import { TimeOf } from "@/shared/ui/time-of.tsx";
import { WideTable } from "@/shared/ui/wide-table.tsx";

/** Disputes, with how far they are and what came of them. */
export function DisputeTable({ disputes }: { readonly disputes: readonly DisputeRow[] }) {
  return (
    <WideTable caption="Disputes before panels, the newest first">
      <thead>
        <tr>
          <th scope="col">Dispute</th>
          <th scope="col">Job</th>
          <th scope="col">State</th>
          <th scope="col">Rounds</th>
          <th scope="col">Votes</th>
          <th scope="col">Opened</th>
          <th scope="col">Ended</th>
          <th scope="col">Ruling</th>
          <th scope="col">Settled</th>
        </tr>
      </thead>
      <tbody>
        {disputes.map((dispute) => (
          <tr key={`${dispute.institution}:${dispute.id}`}>
            <th scope="row">{dispute.id}</th>
            <td>
              <Link to={paths.job(dispute.job)}>
                <Hash value={dispute.job} />
              </Link>
            </td>
            <td>{dispute.status === "void" ? "ended without a ruling" : dispute.status}</td>
            <td className="number">{dispute.rounds}</td>
            <td className="number">
              {dispute.votes_revealed} of {dispute.seats_drawn}
            </td>
            <td>
              <TimeOf seconds={dispute.opened_at} />
            </td>
            <td>
              <TimeOf seconds={dispute.ended_at} />
            </td>
            <td>
              {dispute.units !== null &&
                `pay ${formatWhole(BigInt(dispute.units))} units, slash ${formatBps(dispute.slash_bps ?? 0)} of the bond`}
            </td>
            <td>{dispute.confirmation}</td>
          </tr>
        ))}
      </tbody>
    </WideTable>
  );
}
