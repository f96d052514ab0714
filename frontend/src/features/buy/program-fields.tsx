import { useId } from "react";
import type { Config } from "@/shared/api/schemas.ts";
import { TextField } from "@/shared/ui/text-field.tsx";
import { type Draft, withExample, withOwnProgram } from "./draft.ts";
import { FilePicker } from "./file-picker.tsx";

interface Props {
  readonly draft: Draft;
  readonly onChange: (draft: Draft) => void;
  readonly config: Config;
}

const OWN = "";

/** What runs: an example of the node's, or a WebAssembly program of one's own with its inputs. */
export function ProgramFields({ draft, onChange, config }: Props) {
  const id = useId();
  const choose = (name: string) => {
    const example = config.examples.find((candidate) => candidate.name === name);
    onChange(example ? withExample(draft, example) : withOwnProgram(draft));
  };
  const own = draft.example === OWN;
  return (
    <fieldset>
      <legend>Program</legend>
      <div className="field">
        <label htmlFor={id}>Program to run</label>
        <select id={id} value={draft.example} onChange={(event) => choose(event.target.value)}>
          {config.examples.map(({ name }) => (
            <option key={name} value={name}>
              Example: {name.replaceAll("_", " ").replace("/", ", ")}
            </option>
          ))}
          <option value={OWN}>My own WebAssembly program</option>
        </select>
      </div>
      {own && (
        <FilePicker
          label="Program file (.wasm)"
          accept=".wasm,application/wasm"
          maxBytes={config.max_content_bytes}
          files={draft.module ? [draft.module] : []}
          onChange={([module]) => onChange({ ...draft, module: module ?? null })}
        />
      )}
      <FilePicker
        label="Input files"
        several
        sealed={draft.sealing.sealed}
        maxBytes={config.max_content_bytes}
        files={draft.inputs}
        onChange={(inputs) => onChange({ ...draft, inputs })}
      />
      <TextField
        label="Arguments"
        rows={2}
        value={draft.arguments}
        onChange={(text) => onChange({ ...draft, arguments: text })}
        hint="One a line. Input files are found under their names."
      />
    </fieldset>
  );
}
