import type { Address } from "viem";
import { escrowContract } from "@/shared/chain/contracts.ts";
import { sendCall } from "@/shared/chain/send-call.ts";
import { PageError } from "@/shared/errors/page-error.ts";
import type { Trader } from "@/shared/wallet/use-trader.ts";

/** Puts `amount` atoms of the account's free balance behind its jobs: part of its stake, until it has vested. Returns the amount. */
export async function stakeReward(trader: Trader, _account: Address, amount: bigint): Promise<bigint> {
  if (amount === 0n) throw new PageError("There is nothing to put in: enter an amount above zero.");
  const { wagmi, config } = trader;
  await sendCall(wagmi, config.chain_number, {
    ...escrowContract(config),
    functionName: "stakeReward",
    args: [amount],
  });
  return amount;
}
