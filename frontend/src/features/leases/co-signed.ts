import { useQuery } from "@tanstack/react-query";
import { type Hex, isAddressEqual, recoverTypedDataAddress } from "viem";
import { get } from "@/shared/api/request.ts";
import type { AttestationMessage } from "@/shared/api/schemas.ts";
import { attestationTypedData } from "./attestation.ts";
import type { Metered } from "./meter.ts";

const EVERY_MS = 2_000;
const PASS = 1;

/** The most that the verifier of a lease has signed for. */
export interface CoSigned {
  readonly units: number;
  readonly isFinal: boolean;
  readonly attestation: AttestationMessage | undefined;
  readonly signature: Hex | undefined;
}

const NOTHING: CoSigned = { units: 0, isFinal: false, attestation: undefined, signature: undefined };

/** What was co-signed of a lease so far. Only the verifier's own signature counts. */
export function useCoSigned(lease: Metered | undefined, verifier: string | undefined, live: boolean) {
  return useQuery({
    queryKey: ["co-signed", lease?.job],
    queryFn: async ({ signal }): Promise<CoSigned> => {
      if (lease === undefined || verifier === undefined) return NOTHING;
      const path = { job_id: lease.job };
      const { aggregate } = await get("/v1/jobs/{job_id}/attestations", { path, query: { limit: 1 }, signal });
      if (aggregate === null || aggregate.attestation.verdict !== PASS) return NOTHING;
      const { attestation } = aggregate;
      const signature = aggregate.signatures as Hex;
      const typed = attestationTypedData(lease.domain, attestation);
      const signer = await recoverTypedDataAddress({ ...typed, signature }).catch(() => undefined);
      if (signer === undefined || !isAddressEqual(signer, verifier as Hex)) return NOTHING;
      return { units: Number(attestation.units), isFinal: attestation.isFinal, attestation, signature };
    },
    enabled: lease !== undefined,
    refetchInterval: live ? EVERY_MS : false,
    refetchIntervalInBackground: true,
  });
}
