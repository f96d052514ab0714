import type { OperationRow } from "@/shared/api/schemas.ts";
import { AccountName } from "@/shared/ui/account-name.tsx";
import { Hash } from "@/shared/ui/hash.tsx";
import { TimeOf } from "@/shared/ui/time-of.tsx";
import { WideTable } from "@/shared/ui/wide-table.tsx";

/** What was scheduled with the timelock, and when it takes effect. */
export function OperationTable({ operations }: { readonly operations: readonly OperationRow[] }) {
  return (
    <WideTable caption="Operations of the timelock, the newest first">
      <thead>
        <tr>
          <th scope="col">Operation</th>
          <th scope="col">State</th>
          <th scope="col">Calls</th>
          <th scope="col">Scheduled</th>
          <th scope="col">Not before</th>
          <th scope="col">Settled</th>
        </tr>
      </thead>
      <tbody>
        {operations.map((operation) => (
          <tr key={`${operation.institution}:${operation.id}`}>
            <th scope="row">
              <Hash value={operation.id} />
            </th>
            <td>{operation.status}</td>
            <td>
              {operation.calls.map((call, at) => (
                // biome-ignore lint/suspicious/noArrayIndexKey: an operation's calls never change, and two may be the same
                <div key={at}>
                  <AccountName address={call.target} /> <Hash value={call.data} />
                </div>
              ))}
            </td>
            <td>
              <TimeOf seconds={operation.scheduled_at} />
            </td>
            <td>
              <TimeOf seconds={operation.ready_at} />
            </td>
            <td>{operation.confirmation}</td>
          </tr>
        ))}
      </tbody>
    </WideTable>
  );
}
