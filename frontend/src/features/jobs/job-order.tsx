import { isNotYetThere } from "@/shared/api/problem.ts";
import type { JobRow } from "@/shared/api/schemas.ts";
import { formatWhole } from "@/shared/money/amount.ts";
import type { Sealing } from "@/shared/sealing/sealing.ts";
import { KIND_WORDS } from "@/shared/trade/kind-words.ts";
import { type OrderedFile, type OrderedJob, useOrderedJob } from "@/shared/trade/ordered-job.ts";
import { Facts } from "@/shared/ui/facts.tsx";
import { Failure } from "@/shared/ui/failure.tsx";
import { Hash } from "@/shared/ui/hash.tsx";
import { policyWords } from "./policy-words.ts";

const LIMITS: readonly (readonly [name: string, words: string, share: number, unit: string])[] = [
  ["fuel", "fuel", 1_000_000, "million"],
  ["cpu_s", "processor", 1, "s"],
  ["wall_s", "clock", 1, "s"],
  ["gpus", "GPUs", 1, ""],
  ["memory_bytes", "memory", 1024 ** 2, "MiB"],
  ["scratch_bytes", "temporary files", 1024 ** 2, "MiB"],
  ["processes", "processes", 1, ""],
  ["output_bytes", "output", 1024 ** 2, "MiB"],
];

/** What was ordered: kind, command, files, limits, and how the result is checked. */
export function JobOrder({ job }: { readonly job: JobRow }) {
  const ordered = useOrderedJob(job.terms?.spec);
  if (ordered.data === undefined) {
    if (ordered.error === null) return null;
    if (isNotYetThere(ordered.error)) return <p className="muted">This node does not hold what was ordered.</p>;
    return <Failure error={ordered.error} onRetry={() => void ordered.refetch()} />;
  }
  const { kind, image, command, artifacts, inputs, limits, policy, sealing } = ordered.data;
  return (
    <section aria-label="Order">
      <h2>Order</h2>
      <Facts
        rows={[
          ["Kind", KIND_WORDS[kind] ?? kind],
          ...(image
            ? [
                [
                  "Image",
                  <code key="image" className="long">
                    {image}
                  </code>,
                ] as const,
              ]
            : []),
          ["Command", <code key="command">{command.map(quoted).join(" ")}</code>],
          ["Program", <Files key="artifacts" files={artifacts} />],
          ["Input", <Files key="inputs" files={inputs} />],
          ["At most", limitWords(limits)],
          ["Checked", policyWords(kind, policy)],
          ...(sealing ? [["Sealed", sealedWords(sealing)] as const] : []),
        ]}
      />
    </section>
  );
}

function Files({ files }: { readonly files: readonly OrderedFile[] }) {
  if (files.length === 0) return <span className="muted">none</span>;
  return (
    <ul className="plain">
      {files.map(({ path, cid, size }) => (
        <li key={path}>
          <code>{path}</code> <span className="muted">{formatWhole(size)} bytes</span> <Hash value={cid} />
        </li>
      ))}
    </ul>
  );
}

/** A word as a shell would have it. */
function quoted(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}

function limitWords(limits: OrderedJob["limits"]): string {
  return LIMITS.filter(([name]) => limits[name])
    .map(([name, words, share, unit]) =>
      `${words} ${formatWhole(Math.ceil((limits[name] ?? 0) / share))} ${unit}`.trim(),
    )
    .join(", ");
}

function sealedWords({ inputs, outputs, readers }: Sealing): string {
  const what = [inputs && "inputs", outputs && "outputs"].filter(Boolean).join(" and ");
  return `${what}, to ${readers.length} ${readers.length === 1 ? "reader" : "readers"}`;
}
