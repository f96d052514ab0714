import { Link } from "react-router";
import { type Role, useJobs } from "@/shared/api/list-jobs.ts";
import { paths } from "@/shared/paths.ts";
import { AccountName } from "@/shared/ui/account-name.tsx";
import { Credits } from "@/shared/ui/credits.tsx";
import { Failure } from "@/shared/ui/failure.tsx";
import { Hash } from "@/shared/ui/hash.tsx";
import { NextPage } from "@/shared/ui/next-page.tsx";
import { StateBadge } from "@/shared/ui/state-badge.tsx";
import { TimeOf } from "@/shared/ui/time-of.tsx";
import { WideTable } from "@/shared/ui/wide-table.tsx";

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
  return (
    <section aria-label={title}>
      <h2>{title}</h2>
      <WideTable caption={`${title}, the newest first`}>
        <thead>
          <tr>
            <th scope="col">Job</th>
            <th scope="col">State</th>
            <th scope="col">{role === "provider" ? "Buyer" : "Provider"}</th>
            <th scope="col">Units</th>
            <th scope="col">Paid</th>
            <th scope="col">Refunded</th>
            <th scope="col">Opened</th>
            <th scope="col">Settled</th>
          </tr>
        </thead>
        <tbody>
          {rows.map((job) => (
            <tr key={job.id}>
              <th scope="row">
                <Link to={paths.job(job.id)}>
                  <Hash value={job.id} />
                </Link>
              </th>
              <td>
                <StateBadge job={job} />
              </td>
              <td>
                {job.terms && <AccountName address={role === "provider" ? job.terms.buyer : job.terms.provider} />}
              </td>
              <td className="number">{job.units ?? "—"}</td>
              <td>
                <Credits atoms={job.provider_paid} />
              </td>
              <td>
                <Credits atoms={job.refund} />
              </td>
              <td>
                <TimeOf seconds={job.opened_at} />
              </td>
              <td>{job.confirmation}</td>
            </tr>
          ))}
        </tbody>
      </WideTable>
      <NextPage query={jobs} />
    </section>
  );
}
