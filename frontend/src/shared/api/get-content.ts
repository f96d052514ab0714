import { contentIdOf } from "@/shared/content/content-id.ts";
import { PageError } from "@/shared/errors/page-error.ts";
import { addressOf, send } from "./request.ts";

/** Downloads bytes and makes sure that they are what their name says. */
export async function getContent(cid: string, signal?: AbortSignal): Promise<Uint8Array<ArrayBuffer>> {
  const answer = await send(addressOf("/v1/content/{cid}", { cid }), { signal: signal ?? null });
  const bytes = new Uint8Array(await answer.arrayBuffer());
  if ((await contentIdOf(bytes)) !== cid) {
    throw new PageError("The node sent other bytes than their hash says: do not use them, and ask another node.");
  }
  return bytes;
}
