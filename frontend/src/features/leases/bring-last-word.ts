import { escrowContract } from "@/shared/chain/contracts.ts";
import { sendCall } from "@/shared/chain/send-call.ts";
import type { Terms } from "@/shared/trade/terms.ts";
import type { Trader } from "@/shared/wallet/use-trader.ts";
import { attestationWords } from "./attestation.ts";
import type { CoSigned } from "./co-signed.ts";

/** Brings the buyer's last word to the chain, where the provider does not. */
export async function bringLastWord({ wagmi, config }: Trader, terms: Terms, signed: CoSigned): Promise<void> {
  const { attestation, signature } = signed;
  if (attestation === undefined || signature === undefined) return;
  await sendCall(wagmi, config.chain_number, {
    ...escrowContract(config),
    functionName: "attest",
    args: [terms, attestationWords(attestation), signature],
  });
}
