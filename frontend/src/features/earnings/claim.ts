import type { Address } from "viem";
import { readContract } from "wagmi/actions";
import { escrowContract } from "@/shared/chain/contracts.ts";
import { sendCall } from "@/shared/chain/send-call.ts";
import { PageError } from "@/shared/errors/page-error.ts";
import type { Trader } from "@/shared/wallet/use-trader.ts";

/** Moves everything that is free in the escrow to the account's wallet. Returns how much that was, in atoms. */
export async function claimAll(trader: Trader, account: Address): Promise<bigint> {
  const { wagmi, config } = trader;
  const chainId = config.chain_number;
  const escrow = escrowContract(config);
  const { free } = await readContract(wagmi, { ...escrow, chainId, functionName: "accountOf", args: [account] });
  if (free === 0n) throw new PageError("There is nothing to claim any more: it was withdrawn, or locked in a new job.");
  await sendCall(wagmi, chainId, { ...escrow, functionName: "withdraw", args: [account, free] });
  return free;
}
