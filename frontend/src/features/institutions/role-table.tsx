import type { RoleRow } from "@/shared/api/schemas.ts";
import { AccountName } from "@/shared/ui/account-name.tsx";
import { Hash } from "@/shared/ui/hash.tsx";
import { TimeOf } from "@/shared/ui/time-of.tsx";
import { WideTable } from "@/shared/ui/wide-table.tsx";

const NOBODY = `0x${"00".repeat(20)}`;

/** Who may schedule, cancel and execute changes of the timelock, and who could once. */
export function RoleTable({ roles }: { readonly roles: readonly RoleRow[] }) {
  return (
    <WideTable caption="Roles of the timelock">
      <thead>
        <tr>
          <th scope="col">Role</th>
          <th scope="col">Account</th>
          <th scope="col">State</th>
          <th scope="col">Since</th>
          <th scope="col">By</th>
          <th scope="col">Settled</th>
        </tr>
      </thead>
      <tbody>
        {roles.map((role) => (
          <tr key={`${role.institution}:${role.role}:${role.account}`}>
            <th scope="row">{role.name ?? <Hash value={role.role} />}</th>
            <td>
              {role.name === "executor" && role.account === NOBODY ? "anybody" : <AccountName address={role.account} />}
            </td>
            <td>{role.held ? "held" : "revoked"}</td>
            <td>
              <TimeOf seconds={role.since} />
            </td>
            <td>
              <AccountName address={role.by} />
            </td>
            <td>{role.confirmation}</td>
          </tr>
        ))}
      </tbody>
    </WideTable>
  );
}
