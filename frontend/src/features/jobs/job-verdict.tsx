import { useAttestations } from "@/shared/api/get-attestations.ts";
import type { JobRow } from "@/shared/api/schemas.ts";

const VERDICTS = ["nothing of it: they could not tell", "that it is right", "that it is wrong"];

/** What verifiers say of a job, and why. Where they cannot tell, the reason says what kept them, and nobody is harmed. */
export function JobVerdict({ job }: { readonly job: JobRow }) {
  const aggregate = useAttestations(job).data?.aggregate;
  if (!aggregate) return null;
  return (
    <p role="note" aria-label="Verdict">
      {aggregate.count} of {aggregate.threshold} verifiers whose word is needed say{" "}
      {VERDICTS[aggregate.attestation.verdict]}
      {aggregate.reason === null ? (
        "; their evidence is not on this node."
      ) : (
        <>
          {" "}
          (<code>{aggregate.reason}</code>).
        </>
      )}
    </p>
  );
}
