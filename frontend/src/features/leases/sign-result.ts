import { getAddress, type Hex } from "viem";
import { putContent } from "@/shared/api/put-content.ts";
import { get } from "@/shared/api/request.ts";
import type { JobRow } from "@/shared/api/schemas.ts";
import { canonicalJson, type Json } from "@/shared/content/canonical-json.ts";
import { digestOf } from "@/shared/content/content-id.ts";
import { PageError } from "@/shared/errors/page-error.ts";
import type { Trader } from "@/shared/wallet/use-trader.ts";
import { resultOf } from "./attestation.ts";
import type { MeterEntry } from "./meter.ts";
import { publishAttestation } from "./publish-attestation.ts";

/** The last word on a lease whose job ended by itself. Its evidence holds what the provider submitted, so that an auditor can look through the meter again. */
export async function signResult(trader: Trader, job: JobRow, environment: string, last: MeterEntry): Promise<void> {
  const { items } = await get("/v1/jobs/{job_id}/submissions", { path: { job_id: job.id } });
  const [submitted] = items;
  if (submitted === undefined || Number(submitted.message.units) !== last.units || job.terms === null) {
    throw new PageError("The provider has not submitted what came out yet: wait a moment.");
  }
  const { kind, id, signer, message, signature } = submitted;
  const evidence = canonicalJson({
    version: 1,
    job: job.id,
    verifier: getAddress(job.terms.verifier),
    environment,
    verdict: "pass",
    reason: "readings-hold",
    result: message.result,
    units: last.units,
    submission: { kind, id, signer, message: { ...message } as Json, signature },
  });
  await putContent(evidence);
  const digest: Hex = await digestOf(evidence);
  await publishAttestation(trader, resultOf(job.id, last, message.result, digest));
}
