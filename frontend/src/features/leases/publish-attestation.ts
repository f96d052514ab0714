import { signTypedData } from "wagmi/actions";
import { post } from "@/shared/api/request.ts";
import type { AttestationMessage } from "@/shared/api/schemas.ts";
import { signingDomain } from "@/shared/trade/terms.ts";
import type { Trader } from "@/shared/wallet/use-trader.ts";
import { attestationTypedData } from "./attestation.ts";

/** Lets the wallet sign an attestation, and hands it to the node. Costs nothing: only the last one has to reach the chain. */
export async function publishAttestation({ wagmi, config }: Trader, message: AttestationMessage): Promise<void> {
  const signature = await signTypedData(wagmi, attestationTypedData(signingDomain(config), message));
  await post("/v1/attestations", { kind: "attestation", message, signature });
}
