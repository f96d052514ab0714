import { getContent } from "@/shared/api/get-content.ts";
import { isNotYetThere } from "@/shared/api/problem.ts";
import { contentIdOf } from "@/shared/content/content-id.ts";
import { PageError } from "@/shared/errors/page-error.ts";
import type { InputFile } from "./job-specification.ts";

const held = new Map<string, Uint8Array<ArrayBuffer>>();

/** Keeps a file in this tab, for an order that seals it before it goes anywhere. */
export async function holdFile(path: string, bytes: Uint8Array<ArrayBuffer>): Promise<InputFile> {
  const cid = await contentIdOf(bytes);
  held.set(cid, bytes);
  return { path, cid, size: bytes.length };
}

/** The bytes of a file to seal: kept in this tab, or an example's from the node. Throws `PageError` where a reload lost them. */
export async function bytesOf(file: InputFile): Promise<Uint8Array<ArrayBuffer>> {
  const kept = held.get(file.cid);
  if (kept !== undefined) return kept;
  try {
    return await getContent(file.cid);
  } catch (error) {
    if (!isNotYetThere(error)) throw error;
    const message = `“${file.path}” was only in this tab, and is gone since the page was reloaded: choose it again.`;
    throw new PageError(message, { cause: error });
  }
}
