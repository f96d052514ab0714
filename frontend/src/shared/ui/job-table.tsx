import type { ReactNode } from "react";
import { Link } from "react-router";
import type { JobRow } from "@/shared/api/schemas.ts";
import { paths } from "@/shared/paths.ts";
import { AccountName } from "./account-name.tsx";
import { Credits } from "./credits.tsx";
import { Hash } from "./hash.tsx";
import { StateBadge } from "./state-badge.tsx";
import { TimeOf } from "./time-of.tsx";
import { WideTable } from "./wide-table.tsx";

interface Column {
  readonly title: string;
  readonly cell: (job: JobRow) => ReactNode;
  readonly number?: boolean;
}

/** What a table of jobs can say of each. */
const COLUMNS = {
  state: { title: "State", cell: (job) => <StateBadge job={job} /> },
  buyer: { title: "Buyer", cell: (job) => job.terms && <AccountName address={job.terms.buyer} /> },
  provider: { title: "Provider", cell: (job) => job.terms && <AccountName address={job.terms.provider} /> },
  units: { title: "Units", cell: (job) => job.units ?? "—", number: true },
  escrowed: { title: "Escrowed", cell: (job) => <Credits atoms={job.escrow} /> },
  paid: { title: "Paid", cell: (job) => <Credits atoms={job.provider_paid} /> },
  earned: { title: "Earned", cell: (job) => <Credits atoms={job.provider_paid} /> },
  fee: { title: "Fee", cell: (job) => <Credits atoms={job.fee} /> },
  refunded: { title: "Refunded", cell: (job) => <Credits atoms={job.refund} /> },
  opened: { title: "Opened", cell: (job) => <TimeOf seconds={job.opened_at} /> },
  closed: { title: "Closed", cell: (job) => <TimeOf seconds={job.closed_at} /> },
  settled: { title: "Settled", cell: (job) => job.confirmation },
} satisfies Readonly<Record<string, Column>>;

export type JobColumn = keyof typeof COLUMNS;

interface Props {
  readonly caption: string;
  readonly columns: readonly JobColumn[];
  readonly jobs: readonly JobRow[];
}

/** Jobs, each linked to its page, with the columns that the reader wants. */
export function JobTable({ caption, columns, jobs }: Props) {
  const shown: readonly Column[] = columns.map((name) => COLUMNS[name]);
  return (
    <WideTable caption={caption}>
      <thead>
        <tr>
          <th scope="col">Job</th>
          {shown.map(({ title }) => (
            <th scope="col" key={title}>
              {title}
            </th>
          ))}
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
            {shown.map(({ title, cell, number }) => (
              <td key={title} className={number ? "number" : undefined}>
                {cell(job)}
              </td>
            ))}
          </tr>
        ))}
      </tbody>
    </WideTable>
  );
}
