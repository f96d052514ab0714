import { useAttestations } from "@/shared/api/get-attestations.ts";
import type { JobRow } from "@/shared/api/schemas.ts";

const VERDICTS = ["nothing of it: they could not tell", "that it is right", "that it is wrong"];

/** How likely a wrong result is to pass by the method that was used, in words; nothing where it passed by no method, or nobody says. */
function soundness(bits: number | null): string {
  if (bits === null || bits <= 0) return "";
  const odds = 2 ** bits;
  const share = bits > 20 ? `2^${Math.round(bits)}` : odds.toFixed(odds < 10 ? 2 : 0);
  return `: a wrong result would have passed one time in ${share} at most`;
}

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
          (<code>{aggregate.reason}</code>){soundness(aggregate.soundness_bits)}.
        </>
      )}
    </p>
  );
}
