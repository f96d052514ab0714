import { TextField } from "@/shared/ui/text-field.tsx";
import { type PartyDraft, randomSeed } from "./draft.ts";

interface Props<AnyDraft extends PartyDraft> {
  readonly draft: AnyDraft;
  readonly onChange: (draft: AnyDraft) => void;
  readonly hint: string;
}

/** The randomness of a job. */
export function SeedField<AnyDraft extends PartyDraft>({ draft, onChange, hint }: Props<AnyDraft>) {
  return (
    <details>
      <summary>Randomness</summary>
      <TextField
        label="Seed"
        value={draft.seed}
        onChange={(seed) => onChange({ ...draft, seed: seed as PartyDraft["seed"] })}
        hint={hint}
      />
      <button type="button" onClick={() => onChange({ ...draft, seed: randomSeed() })}>
        Roll a new seed
      </button>
    </details>
  );
}
