import type { AskMessage, Config } from "@/shared/api/schemas.ts";
import { TextField } from "@/shared/ui/text-field.tsx";
import { ChoiceField } from "./choice-field.tsx";
import { type CommandDraft, examplesFor, withCommandExample, withOwnCommand } from "./command-draft.ts";
import { FilePicker } from "./file-picker.tsx";

interface Props {
  readonly draft: CommandDraft;
  readonly onChange: (draft: CommandDraft) => void;
  readonly ask: AskMessage;
  readonly config: Config;
}

const OWN = "";

/** What runs: an example of the node's, or a command of one's own with its files. */
export function CommandFields({ draft, onChange, ask, config }: Props) {
  const examples = examplesFor(draft.kind, config);
  const choose = (name: string) => {
    const example = examples.find((candidate) => candidate.name === name);
    onChange(example ? withCommandExample(draft, example, ask) : withOwnCommand(draft));
  };
  return (
    <fieldset>
      <legend>Command</legend>
      {examples.length > 0 && (
        <ChoiceField
          label="Command to run"
          value={draft.example}
          options={[
            ...examples.map(({ name }) => [name, `Example: ${name.replaceAll("_", " ")}`] as const),
            [OWN, "My own command"],
          ]}
          onChange={choose}
          hint="Examples call the Python that a provider gathers with `computility provider tools`."
        />
      )}
      {draft.kind === "container" && (
        <TextField
          label="Image"
          value={draft.image}
          onChange={(image) => onChange({ ...draft, image })}
          hint="By its digest, name@sha256:… The provider has to have it, or to allow that it is fetched."
        />
      )}
      <TextField
        label="Command"
        rows={Math.min(8, Math.max(3, draft.command.split("\n").length))}
        value={draft.command}
        onChange={(command) => onChange({ ...draft, command })}
        hint="One word a line, beginning with a program that is there, like /bin/sh. It finds its files beside it, and writes what it makes to /out. There is no network."
      />
      <FilePicker
        label="Program files"
        several
        maxBytes={config.max_content_bytes}
        files={draft.artifacts}
        onChange={(artifacts) => onChange({ ...draft, artifacts })}
      />
      <FilePicker
        label="Input files"
        several
        sealed={draft.sealing.sealed}
        maxBytes={config.max_content_bytes}
        files={draft.inputs}
        onChange={(inputs) => onChange({ ...draft, inputs })}
      />
    </fieldset>
  );
}
