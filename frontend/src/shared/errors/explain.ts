import {
  BaseError,
  ContractFunctionRevertedError,
  HttpRequestError,
  InsufficientFundsError,
  InternalRpcError,
  ResourceUnavailableRpcError,
  RpcRequestError,
  SwitchChainError,
  TimeoutError,
  UserRejectedRequestError,
  WaitForTransactionReceiptTimeoutError,
} from "viem";
import { ApiProblem, NodeUnreachable } from "@/shared/api/problem.ts";
import { PageError } from "./page-error.ts";
import { revertSentence } from "./revert-sentences.ts";

const REJECTED = "You declined in the wallet, and nothing was sent: go on when you are ready.";
const CHAIN_DOWN =
  "The chain does not answer: wait a moment, or start it again, then go on. What you entered stays here.";
const NODE_DOWN = "The node does not answer: start it again, or wait. What you entered stays here.";
const WRONG_CHAIN = "The wallet is on another chain: switch it to this node's chain and try again.";
const REJECTED_CODE = 4001;

/** Any failure as one sentence that says what to do. */
export function explain(error: unknown): string {
  if (error instanceof PageError) return error.message;
  if (error instanceof ApiProblem) return asSentence(error.problem.detail);
  if (error instanceof NodeUnreachable) return NODE_DOWN;
  if (error instanceof BaseError) return explainChainError(error);
  if (codeOf(error) === REJECTED_CODE) return REJECTED;
  if (error instanceof Error) return explainByName(error);
  return "Something failed without saying what: reload and try again.";
}

function explainChainError(error: BaseError): string {
  if (isRejection(error)) return REJECTED;
  const reverted = error.walk((cause) => cause instanceof ContractFunctionRevertedError);
  if (reverted instanceof ContractFunctionRevertedError) {
    const { data, reason } = reverted;
    if (data && data.errorName !== "Error") return revertSentence(data.errorName, data.args ?? []);
    return asSentence(`The contract refused${reason ? `: ${reason}` : " without a reason; reload and try again"}`);
  }
  if (has(error, InsufficientFundsError)) {
    return "This account has too little of the chain's own currency to pay for gas: send it some and try again.";
  }
  if (has(error, SwitchChainError)) return WRONG_CHAIN;
  if (has(error, ResourceUnavailableRpcError)) return "The wallet is waiting for an answer already: open it.";
  if (has(error, WaitForTransactionReceiptTimeoutError)) {
    return "The transaction was sent and is not mined yet: look at your jobs before you send it again.";
  }
  if (has(error, HttpRequestError) || has(error, TimeoutError)) return CHAIN_DOWN;
  if (has(error, InternalRpcError) || has(error, RpcRequestError)) {
    return asSentence(`The chain refused: ${error.details || error.shortMessage}; reload and try again`);
  }
  return explainByName(error, error.shortMessage);
}

// Errors of the wallet library, which it does not share as classes in one place.
function explainByName(error: Error, message: string = error.message): string {
  switch (error.name) {
    case "ConnectorChainMismatchError":
    case "ChainNotConfiguredError":
    case "SwitchChainNotSupportedError":
      return WRONG_CHAIN;
    case "ConnectorNotConnectedError":
    case "ConnectorAccountNotFoundError":
      return "The wallet is no longer connected: connect it and try again.";
    case "ProviderNotFoundError":
      return "There is no such wallet in this browser: install one, reload, and connect it.";
    default:
      return asSentence(`${message.split("\n")[0]}; reload and try again`);
  }
}

function isRejection(error: BaseError): boolean {
  return error.walk((cause) => cause instanceof UserRejectedRequestError || codeOf(cause) === REJECTED_CODE) !== null;
}

function has(error: BaseError, type: abstract new (...args: never[]) => Error): boolean {
  return error.walk((cause) => cause instanceof type) !== null;
}

function codeOf(error: unknown): unknown {
  return typeof error === "object" && error !== null && "code" in error ? error.code : undefined;
}

function asSentence(text: string): string {
  const trimmed = text.trim();
  return trimmed.charAt(0).toUpperCase() + trimmed.slice(1) + (/[.!?]$/.test(trimmed) ? "" : ".");
}
