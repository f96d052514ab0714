import { useConfig, useConnection, type Config as WagmiConfig } from "wagmi";
import type { Config } from "@/shared/api/schemas.ts";
import { useNodeConfig } from "@/shared/node-config.ts";

/** The connected account and what it takes to trade with it. */
export interface Trader {
  readonly address: `0x${string}` | undefined;
  /** The wallet is on another chain than the node. */
  readonly wrongChain: boolean;
  /** Connected, and on the right chain. */
  readonly ready: boolean;
  readonly wagmi: WagmiConfig;
  readonly config: Config;
}

/** Who trades here. */
export function useTrader(): Trader {
  const config = useNodeConfig();
  const wagmi = useConfig();
  const { address, chainId, status } = useConnection();
  const wrongChain = address !== undefined && chainId !== config.chain_number;
  return { address, wrongChain, ready: status === "connected" && !wrongChain, wagmi, config };
}
