import type { Address } from "viem";
import { creditContract } from "@/shared/chain/contracts.ts";
import { sendCall } from "@/shared/chain/send-call.ts";
import type { Trader } from "@/shared/wallet/use-trader.ts";

/** Turns `amount` atoms of credit in the account's wallet back into the reserve token, one for one. Returns the amount. */
export async function redeem(trader: Trader, account: Address, amount: bigint): Promise<bigint> {
  const { wagmi, config } = trader;
  await sendCall(wagmi, config.chain_number, {
    ...creditContract(config),
    functionName: "redeem",
    args: [account, amount],
  });
  return amount;
}
