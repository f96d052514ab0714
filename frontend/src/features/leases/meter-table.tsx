import { formatWhole } from "@/shared/money/amount.ts";
import { TimeOf } from "@/shared/ui/time-of.tsx";
import { WideTable } from "@/shared/ui/wide-table.tsx";
import { faultWords } from "./fault-words.ts";
import { type MeterEntry, SAMPLED } from "./meter.ts";
import type { MeterSample } from "./meter-sample.ts";

interface Props {
  readonly entries: readonly MeterEntry[];
  /** Seconds that the buyer signed for. */
  readonly signed: number;
  readonly contested: ReadonlyMap<string, string>;
}

/** The newest readings of a meter, with what was measured and what became of each. */
export function MeterTable({ entries, signed, contested }: Props) {
  const shown = entries.slice(-SAMPLED).reverse();
  return (
    <>
      <WideTable
        caption={`The meter, ${entries.length > shown.length ? "its newest readings" : "every reading"}, the newest first`}
      >
        <thead>
          <tr>
            {[
              "Reading",
              "Seconds",
              "Read",
              "Processor",
              "Memory",
              "Machine busy",
              "Energy",
              "Processes",
              "Standing",
            ].map((title) => (
              <th scope="col" key={title}>
                {title}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {shown.map((entry) => (
            <tr key={entry.id}>
              <th scope="row">
                {entry.sequence}
                {entry.isLast && ", the last"}
              </th>
              <td className="number">{formatWhole(entry.units)}</td>
              <td>
                <TimeOf seconds={Math.floor(entry.atMs / 1000)} />
              </td>
              <Measured sample={entry.sample} />
              <td>{standingOf(entry, signed, contested)}</td>
            </tr>
          ))}
        </tbody>
      </WideTable>
      {entries.length > shown.length && (
        <p className="muted">
          {formatWhole(entries.length)} readings in all, each signed by the provider over the one before it; this page
          looked through all of them. <code>computility lease show</code> lists them with what was measured.
        </p>
      )}
    </>
  );
}

function Measured({ sample }: { readonly sample: MeterSample | undefined }) {
  if (sample === undefined) {
    return (
      <td colSpan={5} className="muted">
        what was measured is not on this node
      </td>
    );
  }
  const { cpu_ms, memory_bytes, busy_permille, energy_mj, processes } = sample;
  return (
    <>
      <td className="number">{(cpu_ms / 1000).toFixed(1)} s</td>
      <td className="number">{formatWhole(Math.ceil(memory_bytes / 1024 ** 2))} MiB</td>
      <td className="number">{busy_permille === null ? "—" : `${busy_permille / 10} %`}</td>
      <td className="number">{energy_mj === null ? "—" : `${formatWhole(Math.round(energy_mj / 1000))} J`}</td>
      <td>{processes.join(", ") || "—"}</td>
    </>
  );
}

function standingOf(entry: MeterEntry, signed: number, contested: ReadonlyMap<string, string>): string {
  const reason = contested.get(entry.id);
  if (reason !== undefined) return `contested: ${faultWords(reason)}`;
  if (entry.fault !== undefined) return `not believed: ${faultWords(entry.fault)}`;
  return entry.units <= signed ? "co‑signed" : "holds, not signed for";
}
