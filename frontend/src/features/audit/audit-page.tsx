import { AuditReportView } from "./audit-report-view.tsx";
import { EventBrowser } from "./event-browser.tsx";
import { JobFinder } from "./job-finder.tsx";
import { ProofCheck } from "./proof-check.tsx";

/** For whoever wants to check: the node's own report on itself, every event, and the trail of any job. */
export function AuditPage() {
  return (
    <>
      <h1>Audit</h1>
      <p className="lead">
        Events on the chain are the ledger; the node's database is only a projection of them. Here both are compared,
        and every event can be read.
      </p>
      <AuditReportView />
      <ProofCheck />
      <JobFinder />
      <EventBrowser />
    </>
  );
}
