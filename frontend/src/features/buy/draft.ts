import { type Address, bytesToHex, getAddress, type Hex, isAddressEqual, zeroAddress } from "viem";
import type { AskMessage, Config, Example } from "@/shared/api/schemas.ts";
import type { InputFile } from "./job-specification.ts";
import { NEW_POLICY, type PolicyDraft } from "./policy-draft.ts";
import { fitsSealed, NOT_SEALED, type SealingDraft } from "./sealing-draft.ts";

/** What every order has: who can read it, randomness, how the result is checked, by whom, and who rules. */
export interface PartyDraft {
  readonly sealing: SealingDraft;
  readonly seed: Hex;
  readonly policy: PolicyDraft;
  readonly verifier: Address;
  readonly arbiter: Address;
  readonly verifierFee: string;
  readonly arbiterFee: string;
}

/** What the buyer of a WebAssembly job has entered so far, as it was typed. Files are uploaded when they are chosen, so a draft is small and can be kept. */
export interface Draft extends PartyDraft {
  /** Name of an example, or empty for a program of one's own. */
  readonly example: string;
  readonly module: InputFile | null;
  readonly inputs: readonly InputFile[];
  /** One argument a line. */
  readonly arguments: string;
  /** Million fuel: the units paid for at most. */
  readonly units: string;
  readonly memoryMib: string;
  readonly outputMib: string;
  readonly outputFiles: string;
}

const USUAL_UNITS = 12_000n;
const USUAL_FEE = "0.1";

/** A new draft for an ask: the first example, and whom the ask names. */
export function newDraft(ask: AskMessage, config: Config): Draft {
  const draft: Draft = {
    ...newParties(ask, config),
    example: "",
    module: null,
    inputs: [],
    arguments: "",
    units: withinAsk(USUAL_UNITS, ask).toString(),
    memoryMib: "256",
    outputMib: "16",
    outputFiles: "16",
  };
  const [example] = config.examples;
  return example ? withExample(draft, example) : draft;
}

/** The parties of a new draft: whom the ask names. */
export function newParties(ask: AskMessage, config: Config): PartyDraft {
  return {
    sealing: NOT_SEALED,
    seed: randomSeed(),
    policy: NEW_POLICY,
    verifier: verifiersFor(ask, config)[0] ?? zeroAddress,
    arbiter: zeroAddress,
    verifierFee: USUAL_FEE,
    arbiterFee: USUAL_FEE,
  };
}

/** The draft with an example's program and inputs; the program gets the names of its inputs as arguments. */
export function withExample(draft: Draft, example: Example): Draft {
  const argumentLines = example.inputs.map((file) => file.path).join("\n");
  return { ...draft, example: example.name, module: example.module, inputs: example.inputs, arguments: argumentLines };
}

/** The draft with room for a program of one's own. */
export function withOwnProgram(draft: Draft): Draft {
  return { ...draft, example: "", module: null, inputs: [], arguments: "" };
}

/**
 * The draft with other readers. Where it becomes sealed or open, files of one's own go: those that were uploaded are secret no more, and those that were not are not on the node. Files
 * `known` to all stay, and so does a check that works on what is sealed.
 */
export function withSealing<AnyDraft extends PartyDraft & { readonly inputs: readonly InputFile[] }>(
  draft: AnyDraft,
  sealing: SealingDraft,
  known: readonly InputFile[],
): AnyDraft {
  if (sealing.sealed === draft.sealing.sealed) return { ...draft, sealing };
  const cids = new Set(known.map((file) => file.cid));
  const inputs = draft.inputs.filter((file) => cids.has(file.cid));
  const policy = sealing.sealed && !fitsSealed(draft.policy.method) ? NEW_POLICY : draft.policy;
  return { ...draft, sealing, inputs, policy };
}

/** Verifiers that a buyer can name: those that the ask accepts, the committee that the node knows first; or that one where the ask accepts any. */
export function verifiersFor(ask: AskMessage, config: Config): Address[] {
  const committee = config.committee ? [getAddress(config.committee.address)] : [];
  if (ask.verifiers.length === 0) return committee;
  const named = ask.verifiers.map((address) => getAddress(address));
  return [...named.filter((one) => committee.includes(one)), ...named.filter((one) => !committee.includes(one))];
}

/** Who runs the job of a draft again: the verifier, or the committee's members. Nobody does of a lease. */
export function whoRunsAgain(draft: PartyDraft, config: Config): Address[] {
  if (draft.policy.method === "lease" || draft.verifier === zeroAddress) return [];
  const { committee } = config;
  if (committee === null || !isAddressEqual(committee.address as Address, draft.verifier)) return [draft.verifier];
  return committee.members.map((member) => getAddress(member));
}

/** Arbiters that a buyer can name: nobody, and those of the ask. An ask that names some accepts no other. */
export function arbitersFor(ask: AskMessage): Address[] {
  return ask.arbiters.length > 0 ? ask.arbiters.map((address) => getAddress(address)) : [zeroAddress];
}

export function randomSeed(): Hex {
  return bytesToHex(crypto.getRandomValues(new Uint8Array(32)));
}

/** So many units, or what the ask allows that is nearest. */
export function withinAsk(units: bigint, ask: AskMessage): bigint {
  const [least, most] = [BigInt(ask.minUnits), BigInt(ask.maxUnits)];
  if (units < least) return least;
  return units > most ? most : units;
}
