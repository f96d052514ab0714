import { useMutation } from "@tanstack/react-query";
import { useId } from "react";
import { putContent } from "@/shared/api/put-content.ts";
import { PageError } from "@/shared/errors/page-error.ts";
import { formatWhole } from "@/shared/money/amount.ts";
import { OVERHEAD_BYTES } from "@/shared/sealing/content-keys.ts";
import { Failure } from "@/shared/ui/failure.tsx";
import { Hash } from "@/shared/ui/hash.tsx";
import { pathFault } from "./file-path.ts";
import { holdFile } from "./held-files.ts";
import type { InputFile } from "./job-specification.ts";

interface Props {
  readonly label: string;
  readonly accept?: string;
  readonly several?: boolean;
  /** Keep them in this tab: they are sealed before they go anywhere. */
  readonly sealed?: boolean;
  readonly maxBytes: number;
  readonly files: readonly InputFile[];
  readonly onChange: (files: readonly InputFile[]) => void;
}

/** Files that are hashed here and uploaded to the node as soon as they are chosen, but for those that are to be sealed. */
export function FilePicker({ label, accept, several = false, sealed = false, maxBytes, files, onChange }: Props) {
  const id = useId();
  const upload = useMutation({
    mutationFn: (chosen: readonly File[]) => Promise.all(chosen.map((file) => store(file, maxBytes, sealed))),
    onSuccess: (stored) => {
      const names = new Set(stored.map((file) => file.path));
      onChange(several ? [...files.filter((file) => !names.has(file.path)), ...stored] : stored);
    },
  });
  return (
    <div className="field">
      <label htmlFor={id}>{label}</label>
      <input
        id={id}
        type="file"
        accept={accept}
        multiple={several}
        disabled={upload.isPending}
        onChange={(event) => {
          const chosen = [...(event.target.files ?? [])];
          // So that the same file can be chosen again after it was changed on disk.
          event.target.value = "";
          if (chosen.length > 0) upload.mutate(chosen);
        }}
      />
      {upload.isPending && <small role="status">Uploading …</small>}
      <Failure error={upload.error} />
      <ul className="plain files">
        {files.map((file) => (
          <li key={file.path}>
            <code>{file.path}</code> <span className="muted">{formatWhole(file.size)} bytes</span>{" "}
            {sealed ? <span className="muted">sealed when you order</span> : <Hash value={file.cid} />}{" "}
            <button
              type="button"
              className="small"
              aria-label={`Remove ${file.path}`}
              onClick={() => onChange(files.filter((other) => other.path !== file.path))}
            >
              Remove
            </button>
          </li>
        ))}
      </ul>
    </div>
  );
}

async function store(file: File, nodeKeeps: number, sealed: boolean): Promise<InputFile> {
  const path = file.name.normalize("NFC");
  const fault = pathFault(path);
  if (fault !== undefined) throw new PageError(fault);
  const maxBytes = sealed ? nodeKeeps - OVERHEAD_BYTES : nodeKeeps;
  if (file.size > maxBytes) {
    throw new PageError(
      `“${path}” has ${formatWhole(file.size)} bytes, and this node keeps ${formatWhole(maxBytes)} at most.`,
    );
  }
  const bytes = new Uint8Array(await file.arrayBuffer());
  if (sealed) return holdFile(path, bytes);
  const { cid, size } = await putContent(bytes);
  return { path, cid, size };
}
