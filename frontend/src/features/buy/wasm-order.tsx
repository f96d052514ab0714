import type { AskMessage, Config } from "@/shared/api/schemas.ts";
import { newDraft } from "./draft.ts";
import { useDraft } from "./kept-draft.ts";
import { LimitFields } from "./limit-fields.tsx";
import { OrderForm } from "./order-form.tsx";
import { PartyFields } from "./party-fields.tsx";
import { ProgramFields } from "./program-fields.tsx";
import { readDraft } from "./read-draft.ts";

interface Props {
  readonly askId: string;
  readonly ask: AskMessage;
  readonly config: Config;
}

/** The order of a WebAssembly program: what runs, how much fuel it may burn, and who checks. */
export function WasmOrder({ askId, ask, config }: Props) {
  const [draft, setDraft] = useDraft(askId, () => newDraft(ask, config));
  return (
    <OrderForm askId={askId} ask={ask} draft={draft} read={() => readDraft(draft, ask)}>
      <ProgramFields draft={draft} onChange={setDraft} config={config} />
      <LimitFields draft={draft} onChange={setDraft} ask={ask} />
      <PartyFields draft={draft} onChange={setDraft} ask={ask} config={config} kind="wasm" inputs={draft.inputs} />
    </OrderForm>
  );
}
