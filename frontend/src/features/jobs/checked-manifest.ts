import { useQuery } from "@tanstack/react-query";
import type { Hex } from "viem";
import { getContent } from "@/shared/api/get-content.ts";
import type { JobOutputs } from "@/shared/api/schemas.ts";
import { contentIdOfDigest } from "@/shared/content/content-id.ts";
import { PageError } from "@/shared/errors/page-error.ts";

/** A file that the manifest names. `sha256` as 0x hex. */
export interface ManifestFile {
  readonly path: string;
  readonly size: number;
  readonly sha256: Hex;
}

/** The files that the manifest itself names, after its bytes were checked against the result; the node's own list is not taken for it. */
export function useCheckedManifest(outputs: JobOutputs | undefined, spec: string | undefined) {
  return useQuery({
    queryKey: ["manifest", outputs?.result, spec],
    queryFn: ({ signal }) => readManifest(outputs?.result as Hex, spec, signal),
    enabled: outputs !== undefined && spec !== undefined,
    staleTime: Number.POSITIVE_INFINITY,
  });
}

async function readManifest(result: Hex, spec: string | undefined, signal: AbortSignal): Promise<ManifestFile[]> {
  const bytes = await getContent(contentIdOfDigest(result), signal);
  return filesOf(new TextDecoder().decode(bytes), spec);
}

/** Reads the files out of a manifest. Throws `PageError` where it is none, or another job's. */
export function filesOf(text: string, spec: string | undefined): ManifestFile[] {
  const notOne = new PageError("The job's result is no output manifest: look at it by hand before you accept it.");
  let manifest: unknown;
  try {
    manifest = JSON.parse(text);
  } catch {
    throw notOne;
  }
  if (!isObject(manifest) || !Array.isArray(manifest.files)) throw notOne;
  if (String(manifest.spec).toLowerCase() !== spec?.toLowerCase()) {
    throw new PageError("The result belongs to another specification than this job's: dispute it while you can.");
  }
  return manifest.files.map((file: unknown) => {
    if (!isObject(file)) throw notOne;
    const { path, size, sha256 } = file;
    const isFile = typeof path === "string" && typeof size === "number" && typeof sha256 === "string";
    if (!isFile || !/^[0-9a-f]{64}$/.test(sha256)) throw notOne;
    return { path, size, sha256: `0x${sha256}` as const };
  });
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}
