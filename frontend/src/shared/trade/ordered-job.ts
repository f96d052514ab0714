import { useQuery } from "@tanstack/react-query";
import type { Hex } from "viem";
import { getContent } from "@/shared/api/get-content.ts";
import type { Json } from "@/shared/content/canonical-json.ts";
import { contentIdOfDigest } from "@/shared/content/content-id.ts";
import { PageError } from "@/shared/errors/page-error.ts";
import type { Sealing } from "@/shared/sealing/sealing.ts";

/** A file of a job, by the name under which it is found. */
export interface OrderedFile {
  readonly path: string;
  readonly cid: string;
  readonly size: number;
}

/** What a buyer ordered: what the specification behind the terms says, of either version. */
export interface OrderedJob {
  readonly kind: string;
  readonly image: string;
  /** The whole command; of a WebAssembly program its module and arguments. */
  readonly command: readonly string[];
  readonly artifacts: readonly OrderedFile[];
  readonly inputs: readonly OrderedFile[];
  /** Numbers by the names of the specification. */
  readonly limits: Readonly<Record<string, number>>;
  /** How the result is checked; empty where it is run again. */
  readonly policy: Readonly<Record<string, unknown>>;
  readonly sealing: Sealing | null;
  /** The whole document, as it was signed for. */
  readonly document: { readonly [name: string]: Json };
}

/** The job that was ordered, once its bytes were checked against the digest in the terms. */
export function useOrderedJob(spec: string | undefined) {
  return useQuery({
    queryKey: ["specification", spec],
    queryFn: async ({ signal }) =>
      readOrderedJob(new TextDecoder().decode(await getContent(contentIdOfDigest(spec as Hex), signal))),
    enabled: spec !== undefined,
    staleTime: Number.POSITIVE_INFINITY,
  });
}

/** Reads a specification. Throws `PageError` where it is none. */
export function readOrderedJob(text: string): OrderedJob {
  try {
    const document = JSON.parse(text);
    const { inputs, limits, arguments: words } = document;
    if (document.version === 1) {
      const { module } = document;
      return {
        kind: "wasm",
        image: "",
        command: [module.path, ...words],
        artifacts: [module],
        inputs: [...inputs],
        limits: { ...limits },
        policy: {},
        sealing: null,
        document,
      };
    }
    const { kind, image, artifacts, verification, sealing } = document;
    return {
      kind,
      image,
      command: kind === "wasm" ? [artifacts[0].path, ...words] : [...words],
      artifacts: [...artifacts],
      inputs: [...inputs],
      limits: { ...limits },
      policy: { ...verification },
      sealing: sealing ? { ...sealing, readers: [...sealing.readers] } : null,
      document,
    };
  } catch {
    throw new PageError("The job's specification is none that this page can read: look at it by hand.");
  }
}
