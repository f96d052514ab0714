import { registryContract } from "@/shared/chain/contracts.ts";
import { sendCall } from "@/shared/chain/send-call.ts";
import type { Trader } from "@/shared/wallet/use-trader.ts";

/** Moves what has vested, and stands behind no open job, to the account's wallet. */
export async function claimReward({ wagmi, config }: Trader): Promise<void> {
  await sendCall(wagmi, config.chain_number, { ...registryContract(config), functionName: "claimReward", args: [] });
}
