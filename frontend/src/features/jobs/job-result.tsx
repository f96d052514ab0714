import { useJobOutputs } from "@/shared/api/get-job-outputs.ts";
import { isHandedBack, isNotYetThere } from "@/shared/api/problem.ts";
import type { JobRow } from "@/shared/api/schemas.ts";
import { explain } from "@/shared/errors/explain.ts";
import { Failure } from "@/shared/ui/failure.tsx";
import { Hash } from "@/shared/ui/hash.tsx";
import { Waiting } from "@/shared/ui/waiting.tsx";
import { useCheckedManifest } from "./checked-manifest.ts";
import { OutputFileView } from "./output-file-view.tsx";
import { useOutputOpener } from "./output-opener.ts";
import { SealedNotice } from "./sealed-notice.tsx";

/** What a job produced, once its bytes were checked here against the hash that was attested. */
export function JobResult({ job }: { readonly job: JobRow }) {
  const outputs = useJobOutputs(job.id, job.terms !== null);
  const checked = useCheckedManifest(outputs.data, job.terms?.spec);
  const opener = useOutputOpener(job, outputs.isSuccess);
  const missing = outputs.error !== null && isNotYetThere(outputs.error);
  return (
    <section aria-label="Result">
      <h2>Result</h2>
      {missing && <NoResult job={job} />}
      {isHandedBack(outputs.error) && <HandedBack reason={explain(outputs.error)} />}
      {!missing && !isHandedBack(outputs.error) && (
        <Failure error={outputs.error ?? checked.error} onRetry={() => void outputs.refetch()} />
      )}
      {outputs.isSuccess && <SealedNotice opener={opener} />}
      {outputs.isSuccess && checked.data && !opener.isPending && (
        <>
          <p className="muted">
            {outputs.data.source === "chain" ? "Named on the chain as " : "So far named by the provider alone as "}
            <Hash value={outputs.data.result} />. Each file below was checked against its hash in this browser.
          </p>
          {checked.data.map((file) => (
            <OutputFileView
              key={file.path}
              file={file}
              open={opener.data?.open}
              available={outputs.data.files.find((listed) => listed.path === file.path)?.available ?? false}
            />
          ))}
        </>
      )}
    </section>
  );
}

function HandedBack({ reason }: { readonly reason: string }) {
  return (
    <div className="notice bad" role="alert">
      <p>{reason}</p>
      <p>
        Only what had been accepted before is paid, and the rest is refunded. Correct what the reason names, and order
        again.
      </p>
    </div>
  );
}

function NoResult({ job }: { readonly job: JobRow }) {
  // What a failing verifier names is what it got itself, which it need not upload.
  if (job.outcome === "fail") return <p>The verifier rejected what the provider delivered, so there is no result.</p>;
  if (job.state === "open") return <Waiting>The provider is working …</Waiting>;
  return <p>This node has no result of the job.</p>;
}
