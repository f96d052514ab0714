import { useQuery } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { getContent } from "@/shared/api/get-content.ts";
import { contentIdOfDigest } from "@/shared/content/content-id.ts";
import { formatWhole } from "@/shared/money/amount.ts";
import { Failure } from "@/shared/ui/failure.tsx";
import { Waiting } from "@/shared/ui/waiting.tsx";
import type { ManifestFile } from "./checked-manifest.ts";
import { outputKind } from "./output-kind.ts";

const SHOWN_BYTES = 16 * 1024 * 1024;

interface Props {
  readonly file: ManifestFile;
  /** Whether the node holds it. */
  readonly available: boolean;
  /** Opens what is sealed to a key of this browser. */
  readonly open?: ((sealed: Uint8Array) => Uint8Array<ArrayBuffer>) | undefined;
}

/** One output, downloaded and checked: a picture is shown, a short text too, and everything can be saved. */
export function OutputFileView({ file, available, open }: Props) {
  const [wanted, setWanted] = useState(file.size <= SHOWN_BYTES);
  const cid = contentIdOfDigest(file.sha256);
  const content = useQuery({
    queryKey: ["content", cid, open !== undefined],
    queryFn: async ({ signal }) => {
      const bytes = await getContent(cid, signal);
      return open === undefined ? bytes : open(bytes);
    },
    enabled: available && wanted,
    staleTime: Number.POSITIVE_INFINITY,
    structuralSharing: false,
  });
  return (
    <figure>
      {!available && <p className="muted">This node does not hold the file (yet).</p>}
      {available && !wanted && (
        <button type="button" onClick={() => setWanted(true)}>
          Download {formatWhole(file.size)} bytes
        </button>
      )}
      {content.isFetching && <Waiting>Downloading and checking …</Waiting>}
      <Failure error={content.error} onRetry={() => void content.refetch()} />
      {content.data && <Shown path={file.path} bytes={content.data} />}
      <figcaption>
        <code>{file.path}</code>{" "}
        <span className="muted">
          {formatWhole(file.size)} bytes{open !== undefined && ", sealed; opened here with your reader key"}
        </span>
      </figcaption>
    </figure>
  );
}

function Shown({ path, bytes }: { readonly path: string; readonly bytes: Uint8Array<ArrayBuffer> }) {
  const shown = outputKind(bytes);
  // Never a type that a browser would run: what is no picture is only ever saved.
  const url = useObjectUrl(bytes, shown.kind === "image" ? shown.type : "application/octet-stream");
  if (url === undefined) return null;
  return (
    <>
      {shown.kind === "image" && <img className="output" src={url} alt={`Output ${path}`} />}
      {shown.kind === "text" && bytes.length > 0 && (
        // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by the keyboard (WCAG 2.1.1)
        <pre tabIndex={0}>{new TextDecoder().decode(bytes)}</pre>
      )}
      <a className="button small" href={url} download={path.split("/").at(-1)}>
        Save {path}
      </a>
    </>
  );
}

function useObjectUrl(bytes: Uint8Array<ArrayBuffer>, type: string): string | undefined {
  const [url, setUrl] = useState<string>();
  useEffect(() => {
    const made = URL.createObjectURL(new Blob([bytes], { type }));
    setUrl(made);
    return () => URL.revokeObjectURL(made);
  }, [bytes, type]);
  return url;
}
