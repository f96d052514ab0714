import { useDisputes, useMembers, useOperations, useRoles } from "@/shared/api/get-institutions.ts";
import { Failure } from "@/shared/ui/failure.tsx";
import { NextPage } from "@/shared/ui/next-page.tsx";
import { DisputeTable } from "./dispute-table.tsx";
import { MemberTable } from "./member-table.tsx";
import { OperationTable } from "./operation-table.tsx";
import { RoleTable } from "./role-table.tsx";

/** Who verifies, who judges, what is in dispute, and which rules are about to change. */
export function InstitutionsPage() {
  const committee = useMembers("committee");
  const arbiters = useMembers("arbiters");
  const disputes = useDisputes();
  const operations = useOperations();
  const roles = useRoles();
  const granted = roles.data?.pages.flatMap((page) => page.items) ?? [];
  const listed = disputes.data?.pages.flatMap((page) => page.items) ?? [];
  const scheduled = operations.data?.pages.flatMap((page) => page.items) ?? [];
  return (
    <>
      <h1>Institutions</h1>
      <p className="lead">
        The committee of verifiers, the panel of arbiters and the timelock that owns every parameter, as their events
        tell.
      </p>
      <section aria-label="Disputes">
        <h2>Disputes</h2>
        <Failure error={disputes.error} onRetry={() => void disputes.refetch()} />
        {listed.length > 0 && <DisputeTable disputes={listed} />}
        {disputes.isSuccess && listed.length === 0 && <p className="notice">No dispute was brought before a panel.</p>}
        <NextPage query={disputes} />
      </section>
      <MemberTable title="Committee of verifiers" query={committee} />
      <MemberTable title="Panel of arbiters" query={arbiters} />
      <section aria-label="Changes of rules">
        <h2>Changes of rules</h2>
        <Failure error={operations.error} onRetry={() => void operations.refetch()} />
        {scheduled.length > 0 && <OperationTable operations={scheduled} />}
        {operations.isSuccess && scheduled.length === 0 && (
          <p className="notice">Nothing was ever scheduled with the timelock.</p>
        )}
        <NextPage query={operations} />
      </section>
      <section aria-label="Who may change rules">
        <h2>Who may change rules</h2>
        <Failure error={roles.error} onRetry={() => void roles.refetch()} />
        {granted.length > 0 && <RoleTable roles={granted} />}
        {roles.isSuccess && granted.length === 0 && <p className="notice">No role of the timelock was granted.</p>}
        <NextPage query={roles} />
      </section>
    </>
  );
}
