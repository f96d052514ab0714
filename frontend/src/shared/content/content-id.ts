import { bytesToHex, type Hex, hexToBytes } from "viem";
import { sha256 } from "./sha256.ts";

// CIDv1, raw, sha2-256, 32 bytes. The digest inside is what the chain names, so one follows from the other.
const PREFIX = Uint8Array.of(0x01, 0x55, 0x12, 0x20);
const ALPHABET = "abcdefghijklmnopqrstuvwxyz234567";

/** The content id of some bytes. */
export async function contentIdOf(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  return spell(await sha256(bytes));
}

/** The content id whose SHA-256 is `digest`. */
export function contentIdOfDigest(digest: Hex): string {
  return spell(hexToBytes(digest));
}

/** SHA-256 of some bytes as the chain names it. */
export async function digestOf(bytes: Uint8Array<ArrayBuffer>): Promise<Hex> {
  return bytesToHex(await sha256(bytes));
}

function spell(digest: Uint8Array): string {
  let bits = 0;
  let held = 0;
  let text = "b";
  for (const byte of [...PREFIX, ...digest]) {
    held = (held << 8) | byte;
    bits += 8;
    while (bits >= 5) {
      bits -= 5;
      text += ALPHABET.charAt((held >>> bits) & 31);
    }
    held &= (1 << bits) - 1;
  }
  return bits > 0 ? text + ALPHABET.charAt((held << (5 - bits)) & 31) : text;
}
