import type { Address } from "viem";
import { creditContract, escrowContract } from "@/shared/chain/contracts.ts";
import { sendCall } from "@/shared/chain/send-call.ts";
import { PageError } from "@/shared/errors/page-error.ts";
import type { Trader } from "@/shared/wallet/use-trader.ts";

/** Moves `amount` atoms from the account's wallet to its free balance: approves exactly that, then deposits. Returns the amount. */
export async function deposit(trader: Trader, account: Address, amount: bigint): Promise<bigint> {
  if (amount === 0n) throw new PageError("There is nothing to add: enter an amount above zero.");
  const { wagmi, config } = trader;
  const chainId = config.chain_number;
  const escrow = escrowContract(config);
  await sendCall(wagmi, chainId, {
    ...creditContract(config),
    functionName: "approve",
    args: [escrow.address, amount],
  });
  await sendCall(wagmi, chainId, { ...escrow, functionName: "deposit", args: [account, amount] });
  return amount;
}
