import type { AskMessage } from "@/shared/api/schemas.ts";
import { TextField } from "@/shared/ui/text-field.tsx";
import type { Draft } from "./draft.ts";
import { SeedField } from "./seed-field.tsx";

interface Props {
  readonly draft: Draft;
  readonly onChange: (draft: Draft) => void;
  readonly ask: AskMessage;
}

/** How much a WebAssembly job may use. */
export function LimitFields({ draft, onChange, ask }: Props) {
  const set = (field: keyof Draft) => (value: string) => onChange({ ...draft, [field]: value });
  return (
    <fieldset>
      <legend>Limits</legend>
      <TextField
        label="Fuel at most"
        unit="million (units)"
        numeric
        value={draft.units}
        onChange={set("units")}
        hint={`${ask.minUnits} to ${ask.maxUnits}. You escrow this much, and pay for what is used, ${ask.minUnits} at least.`}
      />
      <div className="row">
        <TextField label="Memory" unit="MiB" numeric value={draft.memoryMib} onChange={set("memoryMib")} />
        <TextField label="Output" unit="MiB" numeric value={draft.outputMib} onChange={set("outputMib")} />
        <TextField label="Output files" numeric value={draft.outputFiles} onChange={set("outputFiles")} />
      </div>
      <SeedField draft={draft} onChange={onChange} hint="The same seed gives the same result on every machine." />
    </fieldset>
  );
}
