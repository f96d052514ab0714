import { bytesToHex, concat, type Hex, hexToBytes, isHex } from "viem";
import { canonicalJson, type Json } from "@/shared/content/canonical-json.ts";
import { digestOf } from "@/shared/content/content-id.ts";
import { PageError } from "@/shared/errors/page-error.ts";
import { boxSecretOf } from "./content-keys.ts";
import type { ReaderKey } from "./reader-key.ts";
import { KEY_BYTES, openBox, sealBox } from "./sealed-box.ts";

/** Who can read what a job reads and writes, as its specification says: the content key in a box for each. */
export type Sealing = {
  readonly inputs: boolean;
  readonly outputs: boolean;
  readonly readers: readonly { readonly key: Hex; readonly box: Hex | "" }[];
};

type SealedDocument = { readonly [name: string]: Json } & { readonly sealing: Sealing };

/** The digest of a specification with every box empty: what a box holds beside the key, so that a copied one opens for nobody. */
export async function bindingOf(document: SealedDocument): Promise<Hex> {
  const { sealing } = document;
  const readers = sealing.readers.map(({ key }) => ({ key, box: "" }));
  return digestOf(canonicalJson({ ...document, sealing: { ...sealing, readers } }));
}

/** A specification whose every reader has a box with the content key. */
export async function withBoxes<Document extends SealedDocument>(
  document: Document,
  contentKey: Uint8Array,
): Promise<Document> {
  const binding = await bindingOf(document);
  const inside = concat([contentKey, hexToBytes(binding)]);
  const readers = document.sealing.readers.map(({ key }) => {
    const reader = hexToBytes(key);
    return { key, box: bytesToHex(sealBox(boxSecretOf(contentKey, reader, binding), reader, inside)) };
  });
  return { ...document, sealing: { ...document.sealing, readers } };
}

/** The content key of a specification, if one of the keys is among its readers. Throws `PageError` for a box that was damaged or copied. */
export async function contentKeyOf(
  document: SealedDocument,
  keys: readonly ReaderKey[],
): Promise<Uint8Array | undefined> {
  for (const key of keys) {
    const box = document.sealing.readers.find((reader) => reader.key === key.public)?.box;
    if (!isHex(box)) continue;
    let inside: Uint8Array;
    try {
      inside = openBox(hexToBytes(key.secret), hexToBytes(box));
    } catch (error) {
      throw new PageError("The box for your reader key does not open: the order was damaged.", { cause: error });
    }
    if (bytesToHex(inside.subarray(KEY_BYTES)) !== (await bindingOf(document))) {
      throw new PageError("The box for your reader key belongs to another order: somebody copied it.");
    }
    return inside.slice(0, KEY_BYTES);
  }
  return undefined;
}
