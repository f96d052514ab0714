import { send } from "./request.ts";

/** The proof bundle of a job, byte for byte. */
export async function getJobProof(jobId: string): Promise<Uint8Array<ArrayBuffer>> {
  const answer = await send(`/v1/jobs/${jobId}/proof`);
  return new Uint8Array(await answer.arrayBuffer());
}
