import { hsalsa, secretbox } from "@noble/ciphers/salsa";
import { x25519 } from "@noble/curves/ed25519";
import { blake2b } from "@noble/hashes/blake2b";
import { PageError } from "@/shared/errors/page-error.ts";

/** Bytes of an X25519 key. */
export const KEY_BYTES = 32;
const NONCE_BYTES = 24;
// "expand 32-byte k", as Salsa20 has it, in words of four bytes.
const SIGMA = Uint32Array.of(0x61707865, 0x3320646e, 0x79622d32, 0x6b206574);

/** A libsodium sealed box (`crypto_box_seal`) by the secret `once`, which seals nothing else: only who holds the secret of `reader` opens it. */
export function sealBox(once: Uint8Array, reader: Uint8Array, message: Uint8Array): Uint8Array<ArrayBuffer> {
  const sender = x25519.getPublicKey(once);
  const box = secretbox(sharedKey(once, reader), nonceOf(sender, reader)).seal(message);
  const sealed = new Uint8Array(sender.length + box.length);
  sealed.set(sender);
  sealed.set(box, sender.length);
  return sealed;
}

/** What is in a sealed box. Throws where it was damaged, or made for another key. */
export function openBox(secret: Uint8Array, sealed: Uint8Array): Uint8Array {
  const sender = sealed.subarray(0, KEY_BYTES);
  const nonce = nonceOf(sender, x25519.getPublicKey(secret));
  return secretbox(sharedKey(secret, sender), nonce).open(sealed.subarray(KEY_BYTES));
}

/** The key of `crypto_box`: HSalsa20 of what the two keys share. */
function sharedKey(secret: Uint8Array, other: Uint8Array): Uint8Array {
  let shared: Uint8Array;
  try {
    shared = x25519.getSharedSecret(secret, other);
  } catch (error) {
    throw new PageError("A reader key is none that anybody could hold: ask its owner for it again.", { cause: error });
  }
  const key = new Uint8Array(KEY_BYTES);
  const words = new Uint32Array(key.buffer);
  hsalsa(SIGMA, new Uint32Array(Uint8Array.from(shared).buffer), new Uint32Array(4), words);
  return key;
}

function nonceOf(sender: Uint8Array, reader: Uint8Array): Uint8Array {
  return blake2b.create({ dkLen: NONCE_BYTES }).update(sender).update(reader).digest();
}
