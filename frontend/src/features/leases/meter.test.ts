import { type Hex, hashTypedData, zeroHash } from "viem";
import { generatePrivateKey, privateKeyToAccount } from "viem/accounts";
import { afterEach, expect, test, vi } from "vitest";
import { signedTypes } from "@/generated/typed-data.ts";
import type { AttestationMessage } from "@/shared/api/schemas.ts";
import { contentIdOf, digestOf } from "@/shared/content/content-id.ts";
import { coSignatureOf, endOf } from "./attestation.ts";
import { believedEntry, type MeterEntry, type Metered, readMeter } from "./meter.ts";

const provider = privateKeyToAccount(generatePrivateKey());
const JOB: Hex = `0x${"11".repeat(32)}`;
const lease: Metered = {
  job: JOB,
  provider: provider.address,
  intervalS: 60,
  domain: { name: "Computility", version: "1", chainId: 31_337, verifyingContract: `0x${"22".repeat(20)}` },
};
const SAMPLE = new TextEncoder().encode(
  '{"busy_permille":null,"clock_mhz":null,"cpu_ms":5,"energy_mj":null,"energy_source":"none","memory_bytes":1,"processes":["sleep"],"version":1}',
);

afterEach(() => vi.unstubAllGlobals());

/** Rows of a meter that reads every ten seconds, signed by the provider. */
async function rows(count: number) {
  const signed = [];
  let previous: Hex = zeroHash;
  for (let sequence = 1; sequence <= count; sequence += 1) {
    const units = BigInt(sequence * 10);
    const message = {
      job: JOB,
      attempt: 1,
      sequence,
      previous,
      units,
      atMs: units * 1000n,
      sample: await digestOf(SAMPLE),
      isLast: false,
    };
    const typed = {
      domain: lease.domain,
      types: { MeterReading: signedTypes.MeterReading },
      primaryType: "MeterReading",
      message,
    } as const;
    previous = hashTypedData(typed);
    const travelled = { ...message, units: String(units), atMs: String(message.atMs) };
    signed.push({
      kind: "meter-reading",
      id: previous,
      message: travelled,
      signature: await provider.signTypedData(typed),
    });
  }
  return signed;
}

/** A node that shows these rows, and holds the sample behind them. */
async function nodeWith(items: Awaited<ReturnType<typeof rows>>, sampled = true) {
  const cid = await contentIdOf(SAMPLE);
  const asked: string[] = [];
  vi.stubGlobal("fetch", async (address: string) => {
    asked.push(address);
    if (address.endsWith(cid)) {
      if (sampled) return new Response(SAMPLE);
      const problem = { status: 404, code: "content-not-found", detail: "gone" };
      return new Response(JSON.stringify(problem), {
        status: 404,
        headers: { "content-type": "application/problem+json" },
      });
    }
    const after = Number(new URL(address, "http://node").searchParams.get("after"));
    return Response.json({ items: items.filter(({ message }) => message.sequence > after), next: null });
  });
  return asked;
}

const { signal } = new AbortController();

test("a meter is read from where it was left, and what holds is believed", async () => {
  const all = await rows(3);
  await nodeWith(all.slice(0, 2));
  const known = await readMeter(lease, [], signal);
  expect(known.map((entry) => entry.fault)).toEqual([undefined, undefined]);
  const asked = await nodeWith(all);
  const entries = await readMeter(lease, known, signal);
  expect(asked[0]).toContain("after=2");
  expect(entries).toHaveLength(3);
  expect(believedEntry(entries)).toMatchObject({ sequence: 3, units: 30, fault: undefined });
});

test("a reading that somebody else signed, or that was changed, is the node's, and nothing is made of it", async () => {
  const all = await rows(1);
  const [row] = all as [(typeof all)[number]];
  await nodeWith([{ ...row, message: { ...row.message, units: "11" } }]);
  await expect(readMeter(lease, [], signal)).rejects.toThrow("did not sign");
  await nodeWith(all);
  await expect(readMeter({ ...lease, job: zeroHash }, [], signal)).rejects.toThrow("did not sign");
});

test("after a reading that does not hold none is believed", async () => {
  const all = await rows(3);
  await nodeWith([all[0], all[2]] as typeof all);
  const entries = await readMeter(lease, [], signal);
  expect(entries.map((entry) => entry.fault)).toEqual([undefined, "chain-broken"]);
  expect(believedEntry(entries)?.sequence).toBe(1);
});

test("what was measured has to be there", async () => {
  await nodeWith(await rows(1), false);
  expect((await readMeter(lease, [], signal))[0]?.fault).toBe("sample-unfit");
});

test("a lease ends at what is believed, and never below what was signed for", () => {
  const reading = { id: `0x${"aa".repeat(32)}`, units: 20 } as MeterEntry;
  expect(coSignatureOf(JOB, reading)).toMatchObject({ units: "20", isFinal: false, meterRoot: reading.id, verdict: 1 });
  expect(endOf(JOB, reading, undefined)).toMatchObject({ units: "20", isFinal: true, meterRoot: reading.id });
  expect(endOf(JOB, undefined, undefined)).toMatchObject({ units: "0", isFinal: true, meterRoot: zeroHash });
  const signed = { units: "30", meterRoot: `0x${"bb".repeat(32)}` } as AttestationMessage;
  expect(endOf(JOB, reading, signed)).toMatchObject({ units: "30", meterRoot: signed.meterRoot });
});
