import { bytesToHex } from "viem";
import { expect, test } from "vitest";
import { contentIdOf } from "@/shared/content/content-id.ts";
import { inputKeyOf, openFile } from "@/shared/sealing/content-keys.ts";
import { newReaderKey } from "@/shared/sealing/reader-key.ts";
import { contentKeyOf, type Sealing } from "@/shared/sealing/sealing.ts";
import { goldenVectors } from "@/shared/trade/golden-vectors.ts";
import type { TaskSpecification } from "./job-specification.ts";
import { schemaFault } from "./schema-fault.ts";
import { sealSpecification } from "./seal-specification.ts";

const vectors = goldenVectors<{ name: string; document: TaskSpecification }>("task_specification");
const plain = {
  ...(vectors.find(({ name }) => name === "the least process")?.document as TaskSpecification),
  inputs: [{ path: "note", cid: "the plain file's", size: 6 }],
};
const SECRET = new TextEncoder().encode("secret");

test("an order that is sealed fits the schema, names sealed files, and opens for each of its readers", async () => {
  const readers = [newReaderKey(), newReaderKey()];
  const { specification, files } = await sealSpecification(
    plain,
    readers.map((key) => key.public),
    async () => SECRET,
  );
  expect(schemaFault(specification)).toBeUndefined();
  const sealing = specification.sealing as Sealing;
  expect(sealing).toMatchObject({ inputs: true, outputs: true });
  const [file] = files as [Uint8Array<ArrayBuffer>];
  expect(specification.inputs).toEqual([{ path: "note", cid: await contentIdOf(file), size: 46 }]);
  expect(bytesToHex(file)).not.toContain(bytesToHex(SECRET).slice(2));
  for (const reader of readers) {
    const contentKey = (await contentKeyOf({ ...specification, sealing }, [reader])) as Uint8Array;
    expect(openFile(inputKeyOf(contentKey), file)).toEqual(Uint8Array.from(SECRET));
  }
});

test("the same order sealed twice has nothing in common that could be compared", async () => {
  const reader = newReaderKey().public;
  const [one, two] = await Promise.all([1, 2].map(() => sealSpecification(plain, [reader], async () => SECRET)));
  expect(one?.specification.inputs[0]?.cid).not.toBe(two?.specification.inputs[0]?.cid);
  expect(one?.specification.sealing?.readers[0]?.box).not.toBe(two?.specification.sealing?.readers[0]?.box);
});

test("without inputs the outputs alone are sealed, and a reader who is named twice has one box", async () => {
  const reader = newReaderKey().public;
  const { specification, files } = await sealSpecification(
    { ...plain, inputs: [] },
    [reader, reader],
    async () => SECRET,
  );
  expect(specification.sealing).toMatchObject({ inputs: false, outputs: true });
  expect(specification.sealing?.readers).toHaveLength(1);
  expect(files).toEqual([]);
});
