import type { Config as WagmiConfig } from "wagmi";
import { getBlock } from "wagmi/actions";

/** The newest block's time in UTC seconds, which is the only clock that the contracts know. */
export async function chainTime(wagmi: WagmiConfig, chainId: number): Promise<number> {
  const block = await getBlock(wagmi, { chainId });
  return Number(block.timestamp);
}
