import type { AskMessage } from "@/shared/api/schemas.ts";
import { TextField } from "@/shared/ui/text-field.tsx";
import type { CommandDraft } from "./command-draft.ts";
import { SeedField } from "./seed-field.tsx";

interface Props {
  readonly draft: CommandDraft;
  readonly onChange: (draft: CommandDraft) => void;
  readonly ask: AskMessage;
  readonly billedByGpu: boolean;
}

/** How much a command may use. */
export function CommandLimitFields({ draft, onChange, ask, billedByGpu }: Props) {
  const set = (field: keyof CommandDraft) => (value: string) => onChange({ ...draft, [field]: value });
  const isLease = draft.policy.method === "lease";
  const paid = `${ask.minUnits} to ${ask.maxUnits} units. You escrow this much, and pay for what is used, ${Number(ask.minUnits) || 1} at least.`;
  return (
    <fieldset>
      <legend>Limits</legend>
      <div className="row">
        <TextField
          label={
            billedByGpu ? "Seconds at most, of each GPU" : isLease ? "Seconds at most" : "Seconds of processor at most"
          }
          unit="s (units)"
          numeric
          value={draft.seconds}
          onChange={set("seconds")}
          hint={paid}
        />
        {billedByGpu ? (
          <TextField label="GPUs" numeric value={draft.gpus} onChange={set("gpus")} />
        ) : isLease ? null : (
          <TextField
            label="Seconds by the clock"
            unit="s"
            numeric
            value={draft.wallSeconds}
            onChange={set("wallSeconds")}
            hint="After these it is ended, whatever it did."
          />
        )}
      </div>
      <div className="row">
        <TextField label="Memory" unit="MiB" numeric value={draft.memoryMib} onChange={set("memoryMib")} />
        <TextField label="Temporary files" unit="MiB" numeric value={draft.scratchMib} onChange={set("scratchMib")} />
        <TextField label="Processes" numeric value={draft.processes} onChange={set("processes")} />
      </div>
      <div className="row">
        <TextField label="Output" unit="MiB" numeric value={draft.outputMib} onChange={set("outputMib")} />
        <TextField label="Output files" numeric value={draft.outputFiles} onChange={set("outputFiles")} />
      </div>
      <SeedField
        draft={draft}
        onChange={onChange}
        hint="The command finds it in its environment, as COMPUTILITY_SEED."
      />
    </fieldset>
  );
}
