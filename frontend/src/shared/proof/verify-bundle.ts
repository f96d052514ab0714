import {
  type Address,
  compactSignatureToSignature,
  encodeAbiParameters,
  getAddress,
  type Hex,
  hashTypedData,
  parseCompactSignature,
  recoverAddress,
  size,
  toHex,
} from "viem";
import { signedTypes } from "@/generated/typed-data.ts";
import { canonicalJson, type Json } from "@/shared/content/canonical-json.ts";
import { sha256 } from "@/shared/content/sha256.ts";
import { PageError } from "@/shared/errors/page-error.ts";
import { escrowOf, jobIdOf, type Terms } from "@/shared/trade/terms.ts";
import { provenLogs, readHeader } from "./receipt-trie.ts";
import { type ProvenEvent, type ReceiptInBlock, type Told, toldByEscrow, toldByInstitutions } from "./trade-events.ts";

export type JobStateName = "open" | "pending" | "disputed" | "closed";

export interface ProvenAttestation {
  readonly message: AttestationMessage;
  readonly signers: readonly Address[];
  /** The verifier's own key signed; otherwise members of the contract that is the verifier. */
  readonly byVerifier: boolean;
}

/** What a bundle proves. What remains to be believed is that these blocks are the chain's. */
export interface VerifiedTrade {
  readonly chain: string;
  readonly escrow: Address;
  readonly job: Hex;
  readonly state: JobStateName;
  readonly terms: Terms;
  readonly events: readonly ProvenEvent[];
  readonly blocks: readonly { readonly number: number; readonly hash: Hex }[];
  readonly attestations: readonly ProvenAttestation[];
  readonly hasSpecification: boolean;
  readonly evidence: number;
  readonly bytes: number;
}

export interface AttestationMessage {
  readonly job: Hex;
  readonly verdict: number;
  readonly result: Hex;
  readonly units: string;
  readonly isFinal: boolean;
  readonly qualityBps: number;
  readonly meterRoot: Hex;
  readonly evidence: Hex;
}

type Fields = { readonly [name: string]: Json };

/** Of the first version's bundles only the escrow's events are told, and each receipt has one. */
const ESCROW_ALONE = 1;
const VERSION = 2;
export const MAX_BUNDLE_BYTES = 64 * 1024 * 1024;
const BUNDLE = ["attestations", "blocks", "chain", "escrow", "evidence", "job", "specification", "version"];
const ATTESTATION = signedTypes.Attestation.map(({ name }) => name);
const HALF_OF_THE_CURVE = 0x7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a0n;
const ZERO = `0x${"00".repeat(32)}`;

/** Verifies a proof bundle by itself: header hash → receipts trie → logs → terms, attestations and documents. Throws a `PageError` that says what fails. */
export async function verifyBundle(data: Uint8Array<ArrayBuffer>): Promise<VerifiedTrade> {
  try {
    return await verify(data);
  } catch (error) {
    // The libraries have errors of their own for values that do not fit their types.
    if (error instanceof PageError) throw error;
    throw new PageError("This is no proof bundle: a value in it does not fit its type.", { cause: error });
  }
}

async function verify(data: Uint8Array<ArrayBuffer>): Promise<VerifiedTrade> {
  const bundle = readBundle(data);
  const escrow = canonicalAddress(bundle.escrow);
  const job = bytes32(bundle.job);
  const domain = { name: "Computility", version: "1", chainId: chainNumber(bundle.chain), verifyingContract: escrow };
  const { blocks, receipts } = proveBlocks(entries(bundle.blocks));
  const byEscrow = toldByEscrow(receipts, escrow, job);
  const events = byEscrow.map(({ event }) => event);
  const { state, terms } = fold(events);
  if (jobIdOf(domain, terms) !== job) {
    throw new PageError("The terms of the job do not hash to its id on this chain and escrow.");
  }
  const around = bundle.version === ESCROW_ALONE ? [] : toldByInstitutions(receipts, byEscrow, terms, job);
  const told = [...byEscrow, ...around].sort((a, b) => a.receipt - b.receipt || a.place - b.place);
  requireAllToTell(receipts, told);
  const attestations: ProvenAttestation[] = [];
  for (const entry of entries(bundle.attestations)) {
    const proven = await proveAttestation(entry, domain, job, terms);
    if (!events.some((event) => tellsOf(event, proven.message))) {
      throw new PageError("An attestation is not one that an event of the job tells of.");
    }
    attestations.push(proven);
  }
  await proveDocuments(bundle, terms, attestations, events);
  return {
    chain: String(bundle.chain),
    escrow,
    job,
    state,
    terms,
    events: told.map(({ event }) => event),
    blocks,
    attestations,
    hasSpecification: bundle.specification !== null,
    evidence: entries(bundle.evidence).length,
    bytes: data.length,
  };
}

function readBundle(data: Uint8Array<ArrayBuffer>): Fields {
  if (data.length > MAX_BUNDLE_BYTES) throw new PageError("A proof bundle has at most 64 MiB.");
  let document: Json;
  try {
    document = JSON.parse(new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(data)) as Json;
  } catch (error) {
    throw new PageError("This is no proof bundle: it is no JSON.", { cause: error });
  }
  const fields = exactly(document, BUNDLE, "a proof bundle");
  if (fields.version !== ESCROW_ALONE && fields.version !== VERSION) {
    throw new PageError(`This page knows proof bundles of versions ${ESCROW_ALONE} and ${VERSION} only.`);
  }
  const spelled = canonicalJson(fields);
  if (spelled.length !== data.length || spelled.some((byte, at) => byte !== data[at])) {
    throw new PageError("The bundle is not in its one spelling (RFC 8785): it was written anew, or changed.");
  }
  return fields;
}

function proveBlocks(entriesOfBlocks: readonly Json[]) {
  const blocks: { number: number; hash: Hex }[] = [];
  const receipts: ReceiptInBlock[] = [];
  for (const entry of entriesOfBlocks) {
    const block = exactly(entry, ["hash", "header", "receipts"], "a block");
    const header = readHeader(lowerHex(block.header));
    if (header.hash !== block.hash) {
      throw new PageError(`The header of block ${header.number} does not hash to ${String(block.hash)}.`);
    }
    if (header.number <= (blocks.at(-1)?.number ?? -1))
      throw new PageError("The blocks are not in the order of the chain.");
    blocks.push({ number: header.number, hash: header.hash });
    const listedReceipts = entries(block.receipts);
    if (listedReceipts.length === 0) throw new PageError(`Block ${header.number} proves nothing.`);
    let before = -1;
    for (const listed of listedReceipts) {
      const { index, proof } = exactly(listed, ["index", "proof"], "a receipt");
      if (typeof index !== "number" || !Number.isSafeInteger(index) || index <= before) {
        throw new PageError(`The receipts of block ${header.number} are not in the order of its transactions.`);
      }
      before = index;
      receipts.push({ header, index, logs: provenLogs(header, index, entries(proof).map(lowerHex)) });
    }
  }
  return { blocks, receipts };
}

function requireAllToTell(receipts: readonly ReceiptInBlock[], told: readonly Told[]): void {
  const telling = new Set(told.map(({ receipt }) => receipt));
  receipts.forEach(({ header, index }, number) => {
    if (!telling.has(number))
      throw new PageError(`Receipt ${index} of block ${header.number} has no event of the job.`);
  });
}

/** They tell of the job, and change nothing of it. */
const ASIDE = new Set(["BondStaked", "BondUnstaked"]);

const NO_FAULT = 0;
const CLAIM = 1;
const RULED = 2;
/** A dispute and a ruling say what came before them. */
const BEFORE: { readonly [name: string]: readonly JobStateName[] | undefined } = {
  JobDisputed: ["pending"],
  JobRuled: ["disputed"],
};
/** And so does an end, by its cause: finalized, ruled, reclaimed, disputed by default. An agreement may end a job in any. */
const BEFORE_CLOSE: { readonly [cause: number]: readonly JobStateName[] | undefined } = {
  1: ["pending"],
  2: ["disputed"],
  4: ["open"],
  5: ["pending", "disputed"],
};

/** Where the events leave the job, and the terms that they began with. */
function fold(told: readonly ProvenEvent[]): { readonly state: JobStateName; readonly terms: Terms } {
  const events = told.filter(({ name }) => !ASIDE.has(name));
  const first = events[0];
  if (first === undefined) throw new PageError("The bundle proves no event.");
  if (first.name === "JobCancelled") {
    throw new PageError("The job was cancelled before it opened: there is no trade to prove.");
  }
  if (first.name !== "JobOpened") throw new PageError("The event that opened the job is missing.");
  const terms = first.args.terms as Terms;
  let state: JobStateName = "open";
  let accepted = 0n;
  let outcome = NO_FAULT;
  let isRuled = false;
  for (const { name, args } of events.slice(1)) {
    const states = name === "JobClosed" ? BEFORE_CLOSE[Number(args.cause)] : BEFORE[name];
    const isGrounded = name !== "JobClosed" || (args.outcome === outcome && (args.cause !== RULED || isRuled));
    if (name === "JobOpened" || state === "closed" || !isGrounded || (states && !states.includes(state))) {
      throw new PageError(`An event of the job is missing, doubled or out of order: ${name} cannot follow.`);
    }
    if (name === "JobAttested") {
      // Only a reading raises what is accepted, and it leaves the state alone.
      const isReading = (args.accepted as bigint) > accepted;
      accepted = args.accepted as bigint;
      if (!isReading) {
        state = "pending";
        outcome = args.outcome as number;
      }
    } else if (name === "JobProposed") {
      state = "pending";
      outcome = CLAIM;
    } else if (name === "JobDisputed") state = "disputed";
    else if (name === "JobRuled") isRuled = true;
    else if (name === "JobClosed" || name === "JobPaid") {
      state = "closed";
      requireBalanced(terms, args);
    } else {
      throw new PageError(`An event of the job is missing, doubled or out of order: ${name} cannot follow.`);
    }
  }
  return { state, terms };
}

/** What a close pays adds up to what was escrowed and bonded, to the last unit. */
function requireBalanced(terms: Terms, args: Readonly<Record<string, unknown>>): void {
  const sum = (...names: string[]) =>
    names.reduce((total, name) => total + ((args[name] as bigint | undefined) ?? 0n), 0n);
  const escrow = sum("providerPaid", "fee", "refund", "verifierPaid", "arbiterFromEscrow");
  if (escrow !== escrowOf(terms)) throw new PageError("What the close pays is not what was escrowed.");
  const bond = sum("arbiterFromBond", "bondReturned", "bondToBuyer", "bondToTreasury");
  if ("bondReturned" in args && bond !== terms.bond) throw new PageError("What becomes of the bond is not the bond.");
}

async function proveAttestation(
  entry: Json,
  domain: Parameters<typeof hashTypedData>[0]["domain"],
  job: Hex,
  terms: Terms,
): Promise<ProvenAttestation> {
  const listed = exactly(entry, ["attestation", "signature", "signers"], "an attestation");
  const message = exactly(listed.attestation, ATTESTATION, "an attestation") as unknown as AttestationMessage;
  if (message.job !== job) throw new PageError("An attestation is of another job.");
  if (!/^(0|[1-9][0-9]{0,19})$/.test(message.units)) throw new PageError("An attestation is not in its one spelling.");
  const digest = hashTypedData({
    domain: domain ?? {},
    types: { Attestation: signedTypes.Attestation },
    primaryType: "Attestation",
    message: { ...message, units: BigInt(message.units) },
  });
  const signers = await signersOf(digest, withoutWords(lowerHex(listed.signature), message));
  const named = entries(listed.signers);
  if (signers.length === 0 || signers.length !== named.length || signers.some((signer, at) => signer !== named[at])) {
    throw new PageError("An attestation was not signed by those whom the bundle names.");
  }
  return { message, signers, byVerifier: signers.length === 1 && signers[0] === terms.verifier };
}

/** A committee's signature repeats the attestation's words before those of its members. */
function withoutWords(signature: Hex, message: AttestationMessage): Hex {
  const values = ATTESTATION.map((name) => (name === "units" ? BigInt(message.units) : message[name]));
  const words = encodeAbiParameters(signedTypes.Attestation, values as never);
  return signature.startsWith(words) ? `0x${signature.slice(words.length)}` : signature;
}

/** One key's signature (65 bytes, or 64 as in EIP-2098), or those of a committee's members one after the other. */
async function signersOf(digest: Hex, signature: Hex): Promise<Address[]> {
  const length = size(signature);
  const step = length === 64 ? 64 : 65;
  if (length === 0 || length % step !== 0) return [];
  const parts = Array.from(
    { length: length / step },
    (_, at) => `0x${signature.slice(2 + at * step * 2, 2 + (at + 1) * step * 2)}` as Hex,
  );
  return Promise.all(parts.map((part) => signerOf(digest, part)));
}

async function signerOf(digest: Hex, part: Hex): Promise<Address> {
  try {
    const signature = size(part) === 64 ? compactSignatureToSignature(parseCompactSignature(part)) : part;
    const s = BigInt(`0x${typeof signature === "string" ? signature.slice(66, 130) : signature.s.slice(2)}`);
    const isUsual = typeof signature !== "string" || signature.endsWith("1b") || signature.endsWith("1c");
    if (s > HALF_OF_THE_CURVE || !isUsual) throw new PageError("A signature is not in its one form.");
    return getAddress(await recoverAddress({ hash: digest, signature }));
  } catch (error) {
    throw new PageError("A signature under an attestation is none.", { cause: error });
  }
}

/** Whether an event says of the work what the attestation says. `JobPaid` calls its units `attested`: it may settle more. */
function tellsOf({ name, args }: ProvenEvent, message: AttestationMessage): boolean {
  if (name !== "JobAttested" && name !== "JobPaid") return false;
  const { units, ...others } = message;
  const attested = name === "JobPaid" ? args.attested : args.units;
  return (
    String(attested) === units &&
    Object.entries(others).every(([field, value]) => !(field in args) || args[field] === value) &&
    (name === "JobAttested" || (message.verdict === 1 && message.isFinal))
  );
}

async function proveDocuments(
  bundle: Fields,
  terms: Terms,
  attestations: readonly ProvenAttestation[],
  events: readonly ProvenEvent[],
): Promise<void> {
  const specification = bundle.specification ?? null;
  if (specification !== null && (await digestOf(specification)) !== terms.spec) {
    throw new PageError("The specification is not the one that the terms name.");
  }
  const named = new Set<unknown>(attestations.map(({ message }) => message.evidence));
  for (const { args } of events) named.add(args.evidence ?? ZERO);
  let before = "";
  for (const document of entries(bundle.evidence)) {
    const digest = await digestOf(document);
    if (!named.has(digest)) throw new PageError("Evidence is none that an attestation names.");
    if (digest <= before) throw new PageError("Evidence is not in the order of its digests, each once.");
    before = digest;
  }
}

async function digestOf(document: Json): Promise<Hex> {
  return toHex(await sha256(canonicalJson(document)));
}

function exactly(value: Json | undefined, names: readonly string[], what: string): Fields {
  const found = typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Fields) : undefined;
  if (found === undefined || Object.keys(found).length !== names.length || names.some((name) => !(name in found))) {
    throw new PageError(`This is no proof bundle: ${what} has exactly the fields ${names.join(", ")}.`);
  }
  return found;
}

function entries(value: Json | undefined): readonly Json[] {
  if (!Array.isArray(value)) throw new PageError("This is no proof bundle: what should be a list is none.");
  return value as readonly Json[];
}

function lowerHex(value: Json | undefined): Hex {
  if (typeof value !== "string" || !/^0x([0-9a-f]{2})*$/.test(value)) {
    throw new PageError("This is no proof bundle: bytes are written in lower-case hex.");
  }
  return value as Hex;
}

function bytes32(value: Json | undefined): Hex {
  const found = lowerHex(value);
  if (size(found) !== 32) throw new PageError("This is no proof bundle: a job's id has 32 bytes.");
  return found;
}

function canonicalAddress(value: Json | undefined): Address {
  const text = typeof value === "string" && /^0x[0-9a-fA-F]{40}$/.test(value) ? value : ZERO.slice(0, 42);
  if (getAddress(text) !== value) throw new PageError("This is no proof bundle: the escrow's address is misspelt.");
  return getAddress(text);
}

function chainNumber(value: Json | undefined): number {
  const digits = typeof value === "string" ? /^eip155:([1-9][0-9]{0,14})$/.exec(value)?.[1] : undefined;
  if (digits === undefined) throw new PageError("This is no proof bundle: its chain is not named as eip155:NUMBER.");
  return Number(digits);
}
