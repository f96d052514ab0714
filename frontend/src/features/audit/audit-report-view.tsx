import { useAudit } from "@/shared/api/get-audit.ts";
import type { AuditReport } from "@/shared/api/schemas.ts";
import { count } from "@/shared/ui/count.ts";
import { Facts } from "@/shared/ui/facts.tsx";
import { Failure } from "@/shared/ui/failure.tsx";
import { Hash } from "@/shared/ui/hash.tsx";
import { TimeOf } from "@/shared/ui/time-of.tsx";
import { Waiting } from "@/shared/ui/waiting.tsx";
import { WideTable } from "@/shared/ui/wide-table.tsx";

/** Whether the node's store agrees with a replay of the chain, and where not. */
export function AuditReportView() {
  const audit = useAudit();
  return (
    <section aria-label="Report">
      <h2>Store and chain</h2>
      {audit.isFetching && <Waiting>Replaying the chain …</Waiting>}
      <Failure error={audit.error} />
      {audit.data && !audit.isFetching && <Report report={audit.data} />}
      <button type="button" disabled={audit.isFetching} onClick={() => void audit.refetch()}>
        Check again
      </button>
    </section>
  );
}

function Report({ report }: { readonly report: AuditReport }) {
  const { counts, checked_block: block } = report;
  return (
    <>
      {report.store_matches_chain ? (
        <p className="notice good" role="status">
          The store agrees with the chain.
        </p>
      ) : (
        <p className="notice bad" role="alert">
          The store does not agree with the chain: rebuild it from the events, and find out who changed it.
        </p>
      )}
      <Facts
        rows={[
          [
            "Compared",
            `${count(counts.events, "event")}, ${count(counts.jobs, "job")} and ${count(counts.accounts, "account")} in ${count(counts.blocks, "block")}`,
          ],
          [
            "Up to block",
            <span key="block">
              {block.number} <Hash value={block.hash} />
            </span>,
          ],
          ["Checked", <TimeOf key="checked" seconds={report.checked_at} />],
        ]}
      />
      {report.differences.length > 0 && <Differences differences={report.differences} />}
    </>
  );
}

function Differences({ differences }: { readonly differences: AuditReport["differences"] }) {
  return (
    <WideTable caption="Where they differ">
      <thead>
        <tr>
          <th scope="col">Table</th>
          <th scope="col">Row</th>
          <th scope="col">Field</th>
          <th scope="col">Store</th>
          <th scope="col">Chain</th>
        </tr>
      </thead>
      <tbody>
        {differences.map(({ table, key, field, store, chain }) => (
          <tr key={`${table}:${key}:${field}`}>
            <td>{table}</td>
            <td>
              <Hash value={key} />
            </td>
            <td>{field}</td>
            <td>{asText(store)}</td>
            <td>{asText(chain)}</td>
          </tr>
        ))}
      </tbody>
    </WideTable>
  );
}

function asText(value: unknown): string {
  if (value === null || value === undefined) return "no such row";
  return typeof value === "string" ? value : JSON.stringify(value);
}
