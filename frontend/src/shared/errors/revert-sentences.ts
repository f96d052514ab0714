import { formatAmount } from "@/shared/money/amount.ts";
import { formatBps } from "@/shared/money/share.ts";
import { formatTime } from "@/shared/time.ts";

type Arguments = readonly unknown[];
type Sentence = string | ((args: Arguments) => string);

const credits = (value: unknown) => `${formatAmount(BigInt(value as bigint))} credits`;
const time = (value: unknown) => formatTime(Number(value));
const BROKEN_WALLET = "The wallet's signature is not valid for this: sign again, or use another wallet.";
const DEPLOYMENT = "The contracts refuse this as they were deployed: tell whoever runs this node.";

/** Every custom error that the page's calls can meet, in words. */
export const REVERT_SENTENCES: Readonly<Record<string, Sentence>> = {
  AlreadyLeaving: ([since]) => `The provider has asked to leave at ${time(since)}: nothing more is to be asked for.`,
  AlreadyRegistered: "This account is a registered provider already.",
  AmountTooLarge: ([amount, limit]) => `${credits(amount)} are more than the ${credits(limit)} possible: lower it.`,
  BondTooSmall: ([bond, demanded]) =>
    `The bond is ${credits(bond)} and the provider's standing demands ${credits(demanded)}: ask for a new quote.`,
  CallerNotEscrow: "Only the escrow may do this.",
  CallerNotGuardian: "Only the guardian of the contracts may do this.",
  CallerNotOwner: "Only the owner of the contracts may do this.",
  CallerNotParty: "Only the job's buyer, payer or provider may do this: connect that account.",
  CallerNotProvider: "Only the job's provider may do this: connect that account.",
  CallerNotRegistry: "Only the registry of the providers may do this.",
  CapTooLarge: "A cap on what a provider may have locked is too large: lower it.",
  ConsentMissing: ([party]) =>
    `${party} is a contract that has not consented to spend by signature: give the consent in the escrow first.`,
  ECDSAInvalidSignature: BROKEN_WALLET,
  ECDSAInvalidSignatureLength: BROKEN_WALLET,
  ECDSAInvalidSignatureS: BROKEN_WALLET,
  ERC20InsufficientAllowance:
    "The token was approved for less than is needed: try again, and approve the whole amount.",
  ERC20InsufficientBalance: ([, balance, needed]) =>
    `The wallet holds ${formatAmount(BigInt(balance as bigint), 0)} of the token's smallest unit and needs ${formatAmount(BigInt(needed as bigint), 0)}: bring more and try again.`,
  ERC20InvalidApprover: DEPLOYMENT,
  ERC20InvalidReceiver: "The token cannot be sent to that address: choose another.",
  ERC20InvalidSender: DEPLOYMENT,
  ERC20InvalidSpender: DEPLOYMENT,
  ERC2612ExpiredSignature: "The permit expired before it was mined: sign it again.",
  ERC2612InvalidSigner: BROKEN_WALLET,
  EndOutOfRange: "The job's end is no longer possible: ask for a new quote.",
  ExposureTooLarge: ([, locked, limit]) =>
    `The provider would have ${credits(locked)} locked in jobs, above the ${credits(limit)} of its tier: choose another ask, or wait until one of its jobs ends.`,
  FeeTooHigh: ([fee, limit]) =>
    `The protocol fee is ${formatBps(Number(fee))} now, above the ${formatBps(Number(limit))} that the terms allow: ask for a new quote.`,
  FreeStakeTooSmall: ([, free, needed]) =>
    `The provider lacks ${credits(needed)} of the bond and has ${credits(free)} of stake to put behind it: choose another ask.`,
  InsufficientFree: ([account, free, needed]) =>
    `${account} has ${credits(free)} free in the escrow and needs ${credits(needed)}: if that is you, deposit more; if it is the provider, choose another ask.`,
  InvalidAccountNonce: BROKEN_WALLET,
  InvalidReceiver: "Credits cannot be paid to the escrow itself: choose another receiver.",
  InvalidShortString: DEPLOYMENT,
  JobsStillLive: ([locked]) => `${credits(locked)} are still locked in live jobs: wait until they are closed.`,
  NonceCancelled: "One of the parties has cancelled these terms: ask for a new quote.",
  NonceOutOfRange: "The terms' number is out of range: ask for a new quote.",
  NotAdmitted: "The registry admits providers by name, and this account is not among them: ask whoever runs it.",
  NotAuthorised: ([party]) => `${party} has not agreed to this: it has to call or sign itself.`,
  NotLeaving: "The provider has not asked to leave: ask for the exit first.",
  NotRegistered: "This account is not a registered provider: register with a stake first.",
  NotWholeReserveUnits: ([, scale]) => `Only multiples of ${credits(scale)} can be swapped back: change the amount.`,
  NothingToSwap: "There is nothing to swap: enter an amount above zero.",
  OpeningPaused: "Opening new jobs is paused by the guardian: wait; running jobs and withdrawals go on.",
  ProviderNotActive:
    "The provider has left the registry, or was slashed and has to add to its stake: choose another ask.",
  ReadingNeedsNoPassWindow: "This job takes no readings while it runs: send the final one.",
  RefusedByGuard: "The guard named in the terms refuses this trade: choose another ask.",
  ReserveMismatch: "The reserve token took a fee on the way, so the swap was undone: use another token.",
  ResourceKnown: "This resource is listed already.",
  ResourceUnknown: "This resource is not listed: list it first.",
  RolesConflict: ([account]) =>
    `${account} would have two roles that exclude each other: connect another account, or choose another verifier or arbiter.`,
  SafeERC20FailedOperation: "The token refused the transfer: check its balance and try again.",
  ShareTooLarge: "A share is above the whole: correct it.",
  StakeTooSmall: ([stake, least]) =>
    `The stake would be ${credits(stake)}, and ${credits(least)} are the least: add to it.`,
  StillUnbonding: ([, until]) => `The stake is held until ${time(until)}: try again then.`,
  StringTooLong: DEPLOYMENT,
  SupplyTooLarge: "That many credits cannot exist: lower the amount.",
  TooEarly: ([, limit]) => `This is possible after ${time(limit)}: wait until then.`,
  TooLate: ([, limit]) => `This was possible until ${time(limit)}: reload to see what can be done now.`,
  TooManyDecimals: DEPLOYMENT,
  UnbondingTooLong: "The unbonding period is too long: shorten it.",
  UnitsNotRising: "The reading is not above what was accepted before.",
  UnitsOutOfRange: ([, low, high]) => `The units have to lie between ${low} and ${high}: correct them.`,
  WindowOutOfRange: "One of the terms' windows is out of range: ask for a new quote.",
  WrongJob: "The signature is for another job: ask for a new quote.",
  WrongState: "The job is in another state by now: reload to see what can be done.",
  ZeroAddress: "An address is missing: fill it in.",
};

/** A revert in words. */
export function revertSentence(name: string, args: Arguments): string {
  const sentence = REVERT_SENTENCES[name];
  if (sentence === undefined) return `The contract refused with ${name}: reload, and try again.`;
  return typeof sentence === "string" ? sentence : sentence(args);
}
