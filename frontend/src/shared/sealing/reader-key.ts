import { x25519 } from "@noble/curves/ed25519";
import { bytesToHex, type Hex, hexToBytes } from "viem";
import { PageError } from "@/shared/errors/page-error.ts";

const KEY = /^0x[0-9a-f]{64}$/;
const KIND = "computility-reader-key";

/** A reader's X25519 key pair, as 0x and 64 hex digits each. */
export interface ReaderKey {
  readonly public: Hex;
  readonly secret: Hex;
}

/** A new key, from the browser's own randomness. */
export function newReaderKey(): ReaderKey {
  return readerKeyOf(bytesToHex(x25519.utils.randomPrivateKey()));
}

/** The key pair of a secret. */
export function readerKeyOf(secret: Hex): ReaderKey {
  return { public: bytesToHex(x25519.getPublicKey(hexToBytes(secret))), secret };
}

/** Whether a text is spelled as a reader key is. */
export function isReaderKey(text: unknown): text is Hex {
  return typeof text === "string" && KEY.test(text);
}

/** The file that a copy of a key is. */
export function writeKeyFile(key: ReaderKey): string {
  return `${JSON.stringify({ kind: KIND, version: 1, public: key.public, secret: key.secret }, null, 2)}\n`;
}

/** Reads a copy. Throws `PageError` where it is none, or where its two halves do not belong together. */
export function readKeyFile(text: string): ReaderKey {
  const none = new PageError(
    "That file is no copy of a reader key: choose one that this page or the command line saved.",
  );
  let copy: Record<string, unknown>;
  try {
    copy = JSON.parse(text);
  } catch {
    throw none;
  }
  if (copy?.kind !== KIND || copy.version !== 1 || !isReaderKey(copy.secret)) throw none;
  const key = readerKeyOf(copy.secret);
  if (key.public !== copy.public) throw new PageError("The copy is damaged: its secret belongs to another key.");
  return key;
}
