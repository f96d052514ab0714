import { secretbox } from "@noble/ciphers/salsa";
import { blake2b } from "@noble/hashes/blake2b";
import { concat, type Hex, hexToBytes, numberToBytes, stringToBytes } from "viem";
import { PageError } from "@/shared/errors/page-error.ts";
import { KEY_BYTES } from "./sealed-box.ts";

const NONCE_BYTES = 24;
const PURPOSE = "computility-seal";

/** How much longer a sealed file is, in bytes. */
export const OVERHEAD_BYTES = NONCE_BYTES + 16;

/** What the inputs of a job are sealed with, from its content key. */
export function inputKeyOf(contentKey: Uint8Array): Uint8Array {
  return derived(contentKey, stringToBytes("inputs"));
}

/** What the outputs of one attempt at a job are sealed with. */
export function outputKeyOf(contentKey: Uint8Array, job: Hex, attempt: number): Uint8Array {
  return derived(contentKey, concat([hexToBytes(job), numberToBytes(attempt, { size: 4 })]));
}

/** The secret behind the box of one reader of one specification: it follows from what is in the box, so that every reader can make it again. */
export function boxSecretOf(contentKey: Uint8Array, reader: Uint8Array, binding: Hex): Uint8Array {
  return derived(contentKey, concat([stringToBytes("box"), reader, hexToBytes(binding)]));
}

/** A file sealed under a nonce that nobody chose. */
export function sealFile(key: Uint8Array, data: Uint8Array): Uint8Array<ArrayBuffer> {
  const nonce = crypto.getRandomValues(new Uint8Array(NONCE_BYTES));
  return Uint8Array.from(concat([nonce, secretbox(key, nonce).seal(data)]));
}

/** What was sealed. Throws `PageError` where it was changed, or sealed with another key. */
export function openFile(key: Uint8Array, sealed: Uint8Array): Uint8Array<ArrayBuffer> {
  try {
    return Uint8Array.from(secretbox(key, sealed.subarray(0, NONCE_BYTES)).open(sealed.subarray(NONCE_BYTES)));
  } catch (error) {
    const message = "A sealed file does not open: it was changed, or sealed for another job. Do not use it.";
    throw new PageError(message, { cause: error });
  }
}

function derived(key: Uint8Array, purpose: Uint8Array): Uint8Array {
  return blake2b(purpose, { key, dkLen: KEY_BYTES, personalization: PURPOSE });
}
