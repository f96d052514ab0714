import { type Abi, type Address, getAddress } from "viem";
import { computeCreditAbi, devReserveAbi, jobEscrowAbi } from "@/generated/abis.ts";
import type { Config } from "@/shared/api/schemas.ts";
import { PageError } from "@/shared/errors/page-error.ts";

type ErrorsOf<A extends Abi> = Extract<A[number], { type: "error" }>;

// The escrow calls the token, whose errors come through.
const tokenErrors = computeCreditAbi.filter((item) => item.type === "error") as ErrorsOf<typeof computeCreditAbi>[];

/** The escrow at this generation's address. */
export function escrowContract(config: Config) {
  return { address: contractAddress(config, "JobEscrow"), abi: [...jobEscrowAbi, ...tokenErrors] as const };
}

/** The credit token. */
export function creditContract(config: Config) {
  return { address: contractAddress(config, "ComputeCredit"), abi: computeCreditAbi };
}

/** The token behind the credits. Only a development chain's can be minted by anybody. */
export function reserveContract(config: Config) {
  const abi = [...computeCreditAbi, ...devReserveAbi.filter((item) => item.type === "function")] as const;
  return { address: getAddress(config.reserve.address), abi };
}

function contractAddress(config: Config, name: string): Address {
  const address = config.contracts[name];
  if (address === undefined) throw new PageError(`This node names no ${name} contract: ask another node.`);
  return getAddress(address);
}
