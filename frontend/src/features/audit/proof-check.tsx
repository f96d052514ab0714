import { useMutation } from "@tanstack/react-query";
import { type DragEvent, type FormEvent, useId, useState } from "react";
import { useSearchParams } from "react-router";
import { getJobProof } from "@/shared/api/get-job-proof.ts";
import { PageError } from "@/shared/errors/page-error.ts";
import { MAX_BUNDLE_BYTES, verifyBundle } from "@/shared/proof/verify-bundle.ts";
import { Failure } from "@/shared/ui/failure.tsx";
import { Waiting } from "@/shared/ui/waiting.tsx";
import { ProvenTrade } from "./proven-trade.tsx";

const JOB_ID = /^0x[0-9a-f]{64}$/;

type Source = File | string;

/** A trade's proof, verified here in the page: whoever made the file, or sent it, need not be believed. */
export function ProofCheck() {
  const id = useId();
  const [parameters] = useSearchParams();
  const [job, setJob] = useState(parameters.get("proof") ?? "");
  const [isOver, setIsOver] = useState(false);
  const check = useMutation({ mutationFn: async (source: Source) => verifyBundle(await bytesOf(source)) });
  const drop = (event: DragEvent) => {
    event.preventDefault();
    setIsOver(false);
    const file = event.dataTransfer.files[0];
    if (file !== undefined) check.mutate(file);
  };
  const submit = (event: FormEvent) => {
    event.preventDefault();
    check.mutate(job.trim().toLowerCase());
  };
  return (
    <section aria-label="Proof">
      <h2>Proof of a trade</h2>
      <p className="lead">
        A proof is one file with the events of a trade, traced to the hashes of its blocks. It is verified by this page
        alone: headers, receipts, terms, signatures and documents are hashed here.
      </p>
      <div className="row">
        {/* biome-ignore lint/a11y/noStaticElementInteractions: dropping is a short cut; the field inside does the same by keyboard */}
        <div
          className={isOver ? "field drop over" : "field drop"}
          onDragOver={(event) => {
            event.preventDefault();
            setIsOver(true);
          }}
          onDragLeave={() => setIsOver(false)}
          onDrop={drop}
        >
          <label htmlFor={`${id}-file`}>A file: drop it here, or choose it</label>
          <input
            id={`${id}-file`}
            type="file"
            accept=".json,application/json"
            onChange={(event) => {
              const file = event.target.files?.[0];
              if (file !== undefined) check.mutate(file);
              // So that the same file can be chosen again after it was changed on disk.
              event.target.value = "";
            }}
          />
        </div>
        <form onSubmit={submit} noValidate className="field">
          <label htmlFor={`${id}-job`}>Or the id of a job, of which this node makes a proof</label>
          <input
            id={`${id}-job`}
            value={job}
            placeholder="0x…"
            spellCheck={false}
            autoComplete="off"
            onChange={(event) => setJob(event.target.value)}
          />
          <button type="submit">Fetch and verify</button>
        </form>
      </div>
      {check.isPending && <Waiting>Verifying …</Waiting>}
      <Failure error={check.error} />
      {check.data && !check.isPending && <ProvenTrade trade={check.data} />}
    </section>
  );
}

async function bytesOf(source: Source): Promise<Uint8Array<ArrayBuffer>> {
  if (typeof source !== "string") {
    if (source.size > MAX_BUNDLE_BYTES) throw new PageError("A proof bundle has at most 64 MiB: choose another file.");
    return new Uint8Array(await source.arrayBuffer());
  }
  if (!JOB_ID.test(source)) throw new PageError("A job id is 0x and 64 hex digits: copy it from a job or an event.");
  return getJobProof(source);
}
