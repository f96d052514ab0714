import { type Address, zeroAddress } from "viem";
import type { AskMessage, Config } from "@/shared/api/schemas.ts";
import { labelOf } from "@/shared/ui/account-name.tsx";
import { TextField } from "@/shared/ui/text-field.tsx";
import { ChoiceField } from "./choice-field.tsx";
import { arbitersFor, type PartyDraft, verifiersFor } from "./draft.ts";
import type { JobKind } from "./job-kind.ts";
import type { InputFile } from "./job-specification.ts";
import { PolicyFields } from "./policy-fields.tsx";

interface Props<AnyDraft extends PartyDraft> {
  readonly draft: AnyDraft;
  readonly onChange: (draft: AnyDraft) => void;
  readonly ask: AskMessage;
  readonly config: Config;
  readonly kind: JobKind;
  readonly inputs: readonly InputFile[];
}

/** How the result is checked, by whom, and who rules when the two sides do not agree. */
export function PartyFields<AnyDraft extends PartyDraft>({
  draft,
  onChange,
  ask,
  config,
  kind,
  inputs,
}: Props<AnyDraft>) {
  const set =
    <Field extends keyof PartyDraft>(field: Field) =>
    (value: PartyDraft[Field]) =>
      onChange({ ...draft, [field]: value });
  return (
    <fieldset>
      <legend>Who checks</legend>
      <PolicyFields
        policy={draft.policy}
        onChange={set("policy")}
        kind={kind}
        inputs={inputs}
        sealed={draft.sealing.sealed}
      />
      {draft.policy.method === "lease" ? (
        <p className="muted">
          You are the verifier: nobody else can say what the machine was worth to you. Stay on the lease’s page while it
          runs.
        </p>
      ) : (
        <VerifierFields draft={draft} onChange={onChange} ask={ask} config={config} />
      )}
      <div className="row">
        <ChoiceField
          label="Arbiter"
          options={named(arbitersFor(ask), config)}
          value={draft.arbiter}
          onChange={set("arbiter")}
        />
        {draft.arbiter !== zeroAddress && (
          <TextField
            label="Arbiter's fee"
            unit={config.credit.symbol}
            numeric
            value={draft.arbiterFee}
            onChange={set("arbiterFee")}
          />
        )}
      </div>
    </fieldset>
  );
}

interface VerifierProps<AnyDraft extends PartyDraft> {
  readonly draft: AnyDraft;
  readonly onChange: (draft: AnyDraft) => void;
  readonly ask: AskMessage;
  readonly config: Config;
}

function VerifierFields<AnyDraft extends PartyDraft>({ draft, onChange, ask, config }: VerifierProps<AnyDraft>) {
  return (
    <div className="row">
      <ChoiceField
        label="Verifier"
        options={named(verifiersFor(ask, config), config)}
        value={draft.verifier}
        onChange={(verifier) => onChange({ ...draft, verifier })}
      />
      <TextField
        label="Verifier's fee"
        unit={config.credit.symbol}
        numeric
        value={draft.verifierFee}
        onChange={(verifierFee) => onChange({ ...draft, verifierFee })}
      />
    </div>
  );
}

function named(accounts: readonly Address[], config: Config): (readonly [Address, string])[] {
  if (accounts.length === 0) return [[zeroAddress, "There is none: choose another ask"]];
  return accounts.map((address) => [
    address,
    address === zeroAddress
      ? "Nobody: a dispute ends by the written default"
      : [labelOf(config, address), address].filter(Boolean).join(" "),
  ]);
}
