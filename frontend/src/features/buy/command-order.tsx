import { getAddress } from "viem";
import type { AskMessage, Config } from "@/shared/api/schemas.ts";
import { type CommandDraft, newCommandDraft } from "./command-draft.ts";
import { CommandFields } from "./command-fields.tsx";
import { CommandLimitFields } from "./command-limit-fields.tsx";
import { whoRunsAgain, withSealing } from "./draft.ts";
import { useDraft } from "./kept-draft.ts";
import { OrderForm } from "./order-form.tsx";
import { PartyFields } from "./party-fields.tsx";
import { readCommand } from "./read-command.ts";
import { SealingFields } from "./sealing-fields.tsx";

interface Props {
  readonly askId: string;
  readonly ask: AskMessage;
  readonly config: Config;
  readonly kind: CommandDraft["kind"];
  /** Whether a unit is a second of a GPU. */
  readonly billedByGpu: boolean;
}

/** The order of a command in a provider's sandbox, or in an image: what runs, how much it may use, how the result is checked and by whom. */
export function CommandOrder({ askId, ask, config, kind, billedByGpu }: Props) {
  const [draft, setDraft] = useDraft(askId, () => newCommandDraft(kind, billedByGpu, ask, config));
  const known = config.commands.flatMap(({ inputs }) => inputs);
  return (
    <OrderForm askId={askId} ask={ask} draft={draft} read={() => readCommand(draft, ask)}>
      <SealingFields
        sealing={draft.sealing}
        onChange={(sealing) => setDraft(withSealing(draft, sealing, known))}
        provider={getAddress(ask.provider)}
        verifiers={whoRunsAgain(draft, config)}
      />
      <CommandFields draft={draft} onChange={setDraft} ask={ask} config={config} />
      <CommandLimitFields draft={draft} onChange={setDraft} ask={ask} billedByGpu={billedByGpu} />
      <PartyFields draft={draft} onChange={setDraft} ask={ask} config={config} kind={kind} inputs={draft.inputs} />
    </OrderForm>
  );
}
