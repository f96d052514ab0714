import type { Hex } from "viem";
import { creditContract, escrowContract } from "@/shared/chain/contracts.ts";
import { sendCall } from "@/shared/chain/send-call.ts";
import { escrowOf, type Terms } from "@/shared/trade/terms.ts";
import type { Trader } from "@/shared/wallet/use-trader.ts";
import { signPermit } from "./permit.ts";

export type PaidFrom = "wallet" | "balance";

/** Opens the job as its buyer and payer. From the wallet with a permit for exactly the escrow, or from the balance inside the escrow. */
export async function openJob(trader: Trader, terms: Terms, providerSignature: Hex, paidFrom: PaidFrom): Promise<void> {
  const { wagmi, config } = trader;
  const chainId = config.chain_number;
  const escrow = escrowContract(config);
  // Buyer and payer are the caller, who needs no signature.
  const signatures = { buyer: "0x", payer: "0x", provider: providerSignature } as const;
  if (paidFrom === "balance") {
    await sendCall(wagmi, chainId, { ...escrow, functionName: "open", args: [terms, signatures] });
    return;
  }
  const value = escrowOf(terms);
  const permit = await signPermit(trader, terms.payer, value);
  if (permit === undefined) {
    const credit = creditContract(config);
    await sendCall(wagmi, chainId, { ...credit, functionName: "approve", args: [escrow.address, value] });
    await sendCall(wagmi, chainId, { ...escrow, functionName: "openFromWallet", args: [terms, signatures] });
    return;
  }
  const { deadline, v, r, s } = permit;
  await sendCall(wagmi, chainId, {
    ...escrow,
    functionName: "openWithPermit",
    args: [terms, signatures, deadline, v, r, s],
  });
}
