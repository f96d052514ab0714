import type { AskRow } from "@/shared/api/schemas.ts";

/** A compute identifier, taken apart for people. */
export function ResourceName({ resource }: { readonly resource: AskRow["resource"] }) {
  const { kind, model, count, memory_mib, region, operator, serial, urn } = resource;
  return (
    <span title={urn}>
      <strong>
        {kind} {model}
      </strong>{" "}
      <span className="muted">
        {count} × {memoryWords(memory_mib)}, {region}, {operator} {serial}
      </span>
    </span>
  );
}

function memoryWords(mib: number): string {
  return mib % 1024 === 0 ? `${mib / 1024} GiB` : `${mib} MiB`;
}
