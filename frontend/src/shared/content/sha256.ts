import { sha256 as sha256InScript } from "viem";

/** SHA-256. Browsers offer theirs in secure contexts only; elsewhere it is computed in the page. */
export async function sha256(bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array> {
  if (globalThis.crypto?.subtle === undefined) return sha256InScript(bytes, "bytes");
  return new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
}
