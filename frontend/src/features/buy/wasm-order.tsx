import { getAddress } from "viem";
import type { AskMessage, Config } from "@/shared/api/schemas.ts";
import { newDraft, whoRunsAgain, withSealing } from "./draft.ts";
import { useDraft } from "./kept-draft.ts";
import { LimitFields } from "./limit-fields.tsx";
import { OrderForm } from "./order-form.tsx";
import { PartyFields } from "./party-fields.tsx";
import { ProgramFields } from "./program-fields.tsx";
import { readDraft } from "./read-draft.ts";
import { SealingFields } from "./sealing-fields.tsx";

interface Props {
  readonly askId: string;
  readonly ask: AskMessage;
  readonly config: Config;
}

/** The order of a WebAssembly program: what runs, how much fuel it may burn, and who checks. */
export function WasmOrder({ askId, ask, config }: Props) {
  const [draft, setDraft] = useDraft(askId, () => newDraft(ask, config));
  const known = config.examples.flatMap(({ inputs }) => inputs);
  return (
    <OrderForm askId={askId} ask={ask} draft={draft} read={() => readDraft(draft, ask)}>
      <SealingFields
        sealing={draft.sealing}
        onChange={(sealing) => setDraft(withSealing(draft, sealing, known))}
        provider={getAddress(ask.provider)}
        verifiers={whoRunsAgain(draft, config)}
      />
      <ProgramFields draft={draft} onChange={setDraft} config={config} />
      <LimitFields draft={draft} onChange={setDraft} ask={ask} />
      <PartyFields draft={draft} onChange={setDraft} ask={ask} config={config} kind="wasm" inputs={draft.inputs} />
    </OrderForm>
  );
}
