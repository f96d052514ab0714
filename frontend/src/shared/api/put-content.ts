import { contentIdOf } from "@/shared/content/content-id.ts";
import { addressOf, send } from "./request.ts";

export interface Stored {
  readonly cid: string;
  readonly size: number;
}

/** Uploads bytes under the hash that this browser computed, so that what the node keeps is what was chosen here. */
export async function putContent(bytes: Uint8Array<ArrayBuffer>): Promise<Stored> {
  const cid = await contentIdOf(bytes);
  const headers = { "Content-Type": "application/octet-stream" };
  await send(addressOf("/v1/content", {}, { cid }), { method: "PUT", headers, body: bytes });
  return { cid, size: bytes.length };
}
