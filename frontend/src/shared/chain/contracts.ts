import { type Abi, type Address, getAddress } from "viem";
import { computeCreditAbi, devReserveAbi, jobEscrowAbi, providerRegistryAbi } from "@/generated/abis.ts";
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

/** The registry of providers, which holds their stakes. */
export function registryContract(config: Config) {
  return {
    address: contractAddress(config, "ProviderRegistry"),
    abi: [...providerRegistryAbi, ...tokenErrors] as const,
  };
}

/** The token behind the credits. Every ERC-20 has these functions but `mint`, which anybody may call on a development chain's. */
export function reserveContract(config: Config) {
  return { address: getAddress(config.reserve.address), abi: devReserveAbi };
}

function contractAddress(config: Config, name: string): Address {
  const address = config.contracts[name];
  if (address === undefined) throw new PageError(`This node names no ${name} contract: ask another node.`);
  return getAddress(address);
}
