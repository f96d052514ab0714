import { bytesToHex, type Hex, hexToBytes } from "viem";
import { describe, expect, test } from "vitest";
import { goldenVectors } from "@/shared/trade/golden-vectors.ts";
import { inputKeyOf, OVERHEAD_BYTES, openFile, outputKeyOf, sealFile } from "./content-keys.ts";
import { newReaderKey, type ReaderKey, readerKeyOf } from "./reader-key.ts";
import { openBox, sealBox } from "./sealed-box.ts";
import { bindingOf, contentKeyOf, withBoxes } from "./sealing.ts";

interface SealedFile {
  readonly path: string;
  readonly plain: Hex;
  readonly sealed: Hex;
}

interface Vector {
  readonly by: string;
  readonly readers: readonly ReaderKey[];
  readonly specification: string;
  readonly binding: Hex;
  readonly content_key: Hex;
  readonly inputs: readonly SealedFile[];
  readonly job: Hex;
  readonly attempt: number;
  readonly outputs: readonly SealedFile[];
}

type Document = Parameters<typeof contentKeyOf>[0];

const opened = (key: Uint8Array, file: SealedFile) => bytesToHex(openFile(key, hexToBytes(file.sealed)));

describe.each(goldenVectors<Vector>("sealing"))("a job that $by sealed", (vector) => {
  const document = JSON.parse(vector.specification) as Document;

  test.each(vector.readers)("is opened by its reader $public", async (reader) => {
    expect(readerKeyOf(reader.secret)).toEqual(reader);
    expect(await bindingOf(document)).toBe(vector.binding);
    const contentKey = await contentKeyOf(document, [newReaderKey(), reader]);
    expect(contentKey && bytesToHex(contentKey)).toBe(vector.content_key);
  });

  test("has the boxes that every reader can make again", async () => {
    expect(await withBoxes(document, hexToBytes(vector.content_key))).toEqual(document);
  });

  test("gives its inputs and outputs to who has the content key", () => {
    const contentKey = hexToBytes(vector.content_key);
    for (const file of vector.inputs) expect(opened(inputKeyOf(contentKey), file)).toBe(file.plain);
    const key = outputKeyOf(contentKey, vector.job, vector.attempt);
    for (const file of vector.outputs) expect(opened(key, file)).toBe(file.plain);
  });

  test("says nothing to others, and outputs of another attempt do not open", async () => {
    expect(await contentKeyOf(document, [newReaderKey()])).toBeUndefined();
    const other = outputKeyOf(hexToBytes(vector.content_key), vector.job, vector.attempt + 1);
    expect(() => opened(other, vector.outputs[0] as SealedFile)).toThrow("does not open");
  });

  test("opens nothing for who copies a box into another order, or damages it", async () => {
    await expect(contentKeyOf({ ...document, clock_s: 1 }, vector.readers)).rejects.toThrow("somebody copied it");
    const readers = document.sealing.readers.map(({ key, box }) => ({ key, box: `${box.slice(0, -2)}00` as Hex }));
    const damaged = { ...document, sealing: { ...document.sealing, readers } };
    await expect(contentKeyOf(damaged, vector.readers)).rejects.toThrow("was damaged");
  });
});

test("a sealed box opens for its reader alone, and looks different by each secret", () => {
  const [reader, other] = [newReaderKey(), newReaderKey()];
  const message = new TextEncoder().encode("a content key");
  const [box, again] = [1, 2].map((once) =>
    sealBox(new Uint8Array(32).fill(once), hexToBytes(reader.public), message),
  ) as [Uint8Array, Uint8Array];
  expect(box).not.toEqual(again);
  expect(box).toHaveLength(message.length + 48);
  expect(openBox(hexToBytes(reader.secret), box)).toEqual(message);
  expect(() => openBox(hexToBytes(other.secret), box)).toThrow();
});

test("a key that nobody can hold seals nothing", () => {
  expect(() => sealBox(new Uint8Array(32).fill(1), new Uint8Array(32), new Uint8Array(1))).toThrow("ask its owner");
});

test("a sealed file is longer by what is said, and one changed bit is found out", () => {
  const key = new Uint8Array(32).fill(7);
  const sealed = sealFile(key, new Uint8Array(5));
  expect(sealed).toHaveLength(5 + OVERHEAD_BYTES);
  sealed[30] = (sealed[30] ?? 0) ^ 1;
  expect(() => openFile(key, sealed)).toThrow("it was changed");
  expect(() => openFile(key, new Uint8Array(3))).toThrow("does not open");
});
