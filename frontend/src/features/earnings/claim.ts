import type { Address } from "viem";
import { escrowContract } from "@/shared/chain/contracts.ts";
import { sendCall } from "@/shared/chain/send-call.ts";
import { PageError } from "@/shared/errors/page-error.ts";
import type { Trader } from "@/shared/wallet/use-trader.ts";

/** Moves `amount` atoms of what is free in the escrow to the account's wallet. Returns the amount. */
export async function claim(trader: Trader, account: Address, amount: bigint): Promise<bigint> {
  if (amount === 0n) throw new PageError("There is nothing to claim: enter an amount above zero.");
  const { wagmi, config } = trader;
  await sendCall(wagmi, config.chain_number, {
    ...escrowContract(config),
    functionName: "withdraw",
    args: [account, amount],
  });
  return amount;
}
