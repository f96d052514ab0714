import { type Address, type Hex, parseSignature, size } from "viem";
import { readContract, signTypedData } from "wagmi/actions";
import { chainTime } from "@/shared/chain/chain-time.ts";
import { creditContract, escrowContract } from "@/shared/chain/contracts.ts";
import type { Trader } from "@/shared/wallet/use-trader.ts";

const VALID_S = 900;

const PERMIT = [
  { name: "owner", type: "address" },
  { name: "spender", type: "address" },
  { name: "value", type: "uint256" },
  { name: "nonce", type: "uint256" },
  { name: "deadline", type: "uint256" },
] as const;

/** A permit as the contract takes it. */
export interface Permit {
  readonly deadline: bigint;
  readonly v: number;
  readonly r: Hex;
  readonly s: Hex;
}

/** Lets the escrow take exactly `value` credits of `owner`, once (EIP-2612). Undefined from a wallet that cannot sign permits, such as a contract. */
export async function signPermit(trader: Trader, owner: Address, value: bigint): Promise<Permit | undefined> {
  const { wagmi, config } = trader;
  const chainId = config.chain_number;
  const credit = creditContract(config);
  const [[, name, version, domainChain, verifyingContract], nonce, now] = await Promise.all([
    readContract(wagmi, { ...credit, chainId, functionName: "eip712Domain" }),
    readContract(wagmi, { ...credit, chainId, functionName: "nonces", args: [owner] }),
    chainTime(wagmi, chainId),
  ]);
  const deadline = BigInt(now + VALID_S);
  const signature = await signTypedData(wagmi, {
    domain: { name, version, chainId: domainChain, verifyingContract },
    types: { Permit: PERMIT },
    primaryType: "Permit",
    message: { owner, spender: escrowContract(config).address, value, nonce, deadline },
  });
  if (size(signature) !== 65) return undefined;
  const { r, s, yParity } = parseSignature(signature);
  return { deadline, v: 27 + yParity, r, s };
}
