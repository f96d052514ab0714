import { defineChain } from "viem";
import type { Config } from "@/shared/api/schemas.ts";

const DEVELOPMENT_CHAINS = [31_337, 1_337];

/** Whether keys are public and money is play money on this chain. */
export function isDevelopmentChain(config: Config): boolean {
  return DEVELOPMENT_CHAINS.includes(config.chain_number);
}

/** Where the page reads the chain: through the node, at the address that the node tells, or nowhere but in the wallet. */
export function rpcUrlOf(config: Config, origin: string): string | undefined {
  if (config.rpc_path !== null) return new URL(config.rpc_path, origin).href;
  return config.rpc_url_public ?? undefined;
}

/** The chain that the node works with, as wallets are told of it. */
export function chainOf(config: Config, origin: string) {
  const url = rpcUrlOf(config, origin);
  const development = isDevelopmentChain(config);
  return defineChain({
    id: config.chain_number,
    name: development ? "Computility development chain" : `Chain ${config.chain_number}`,
    nativeCurrency: { name: "Ether", symbol: "ETH", decimals: 18 },
    rpcUrls: { default: { http: url === undefined ? [] : [url] } },
    testnet: development,
  });
}
