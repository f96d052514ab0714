import { Link } from "react-router";
import type { JobRow } from "@/shared/api/schemas.ts";
import { paths } from "@/shared/paths.ts";
import { AccountName } from "@/shared/ui/account-name.tsx";
import { Credits } from "@/shared/ui/credits.tsx";
import { Hash } from "@/shared/ui/hash.tsx";
import { StateBadge } from "@/shared/ui/state-badge.tsx";
import { TimeOf } from "@/shared/ui/time-of.tsx";
import { WideTable } from "@/shared/ui/wide-table.tsx";

/** Jobs of a provider, the newest first. */
export function EarningsTable({ jobs }: { readonly jobs: readonly JobRow[] }) {
  return (
    <WideTable caption="Jobs on your machines, the newest first">
      <thead>
        <tr>
          <th scope="col">Job</th>
          <th scope="col">State</th>
          <th scope="col">Buyer</th>
          <th scope="col">Units</th>
          <th scope="col">Earned</th>
          <th scope="col">Fee</th>
          <th scope="col">Closed</th>
        </tr>
      </thead>
      <tbody>
        {jobs.map((job) => (
          <tr key={job.id}>
            <th scope="row">
              <Link to={paths.job(job.id)}>
                <Hash value={job.id} />
              </Link>
            </th>
            <td>
              <StateBadge job={job} />
            </td>
            <td>{job.terms && <AccountName address={job.terms.buyer} />}</td>
            <td className="number">{job.units ?? "—"}</td>
            <td>
              <Credits atoms={job.provider_paid} />
            </td>
            <td>
              <Credits atoms={job.fee} />
            </td>
            <td>
              <TimeOf seconds={job.closed_at} />
            </td>
          </tr>
        ))}
      </tbody>
    </WideTable>
  );
}
