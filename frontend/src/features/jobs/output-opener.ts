import { useQuery } from "@tanstack/react-query";
import type { Hex } from "viem";
import { get } from "@/shared/api/request.ts";
import type { JobRow } from "@/shared/api/schemas.ts";
import { openFile, outputKeyOf } from "@/shared/sealing/content-keys.ts";
import { useKeyRing } from "@/shared/sealing/key-ring.ts";
import { contentKeyOf, type Sealing } from "@/shared/sealing/sealing.ts";
import { useOrderedJob } from "@/shared/trade/ordered-job.ts";

/** How the outputs of a job are read. */
export interface OutputOpener {
  readonly sealed: boolean;
  /** Undefined where they are open, or sealed to keys that this browser does not have. */
  readonly open: ((sealed: Uint8Array) => Uint8Array<ArrayBuffer>) | undefined;
}

/** Opens what a job produced with a key of this browser, where it is sealed to one. */
export function useOutputOpener(job: JobRow, enabled: boolean) {
  const ordered = useOrderedJob(job.terms?.spec);
  const keys = useKeyRing();
  const { data } = ordered;
  return useQuery({
    queryKey: ["output-opener", job.id, job.terms?.spec, keys.map((key) => key.public).join()],
    queryFn: async ({ signal }): Promise<OutputOpener> => {
      const sealing = data?.sealing ?? null;
      if (data === undefined || !sealing?.outputs) return { sealed: false, open: undefined };
      const contentKey = await contentKeyOf({ ...data.document, sealing } as SealedDocument, keys);
      if (contentKey === undefined) return { sealed: true, open: undefined };
      const submitted = await get("/v1/jobs/{job_id}/submissions", { path: { job_id: job.id }, signal });
      const attempt = submitted.items[0]?.message.attempt ?? 1;
      const key = outputKeyOf(contentKey, job.id as Hex, attempt);
      return { sealed: true, open: (sealed) => openFile(key, sealed) };
    },
    enabled: enabled && data !== undefined,
    staleTime: Number.POSITIVE_INFINITY,
    structuralSharing: false,
  });
}

type SealedDocument = NonNullable<ReturnType<typeof useOrderedJob>["data"]>["document"] & { readonly sealing: Sealing };
