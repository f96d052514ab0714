import { escrowContract } from "@/shared/chain/contracts.ts";
import { sendCall } from "@/shared/chain/send-call.ts";
import type { Terms } from "@/shared/trade/terms.ts";
import type { Trader } from "@/shared/wallet/use-trader.ts";
import type { JobAction } from "./job-actions.ts";

/** Sends what the account wants done to the job. */
export async function actOnJob(trader: Trader, action: JobAction, terms: Terms): Promise<void> {
  const { wagmi, config } = trader;
  await sendCall(wagmi, config.chain_number, { ...escrowContract(config), functionName: action, args: [terms] });
}
