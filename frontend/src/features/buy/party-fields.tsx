import { useId } from "react";
import { type Address, zeroAddress } from "viem";
import type { AskMessage, Config } from "@/shared/api/schemas.ts";
import { labelOf } from "@/shared/ui/account-name.tsx";
import { TextField } from "@/shared/ui/text-field.tsx";
import { arbitersFor, type Draft, verifiersFor } from "./draft.ts";

interface Props {
  readonly draft: Draft;
  readonly onChange: (draft: Draft) => void;
  readonly ask: AskMessage;
  readonly config: Config;
}

/** Who checks the result, and who rules when the two sides do not agree. */
export function PartyFields({ draft, onChange, ask, config }: Props) {
  const arbiters = arbitersFor(ask);
  return (
    <fieldset>
      <legend>Who checks</legend>
      <div className="row">
        <Choice
          label="Verifier"
          config={config}
          accounts={verifiersFor(ask, config)}
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
      <div className="row">
        <Choice
          label="Arbiter"
          config={config}
          accounts={arbiters}
          value={draft.arbiter}
          onChange={(arbiter) => onChange({ ...draft, arbiter })}
        />
        {draft.arbiter !== zeroAddress && (
          <TextField
            label="Arbiter's fee"
            unit={config.credit.symbol}
            numeric
            value={draft.arbiterFee}
            onChange={(arbiterFee) => onChange({ ...draft, arbiterFee })}
          />
        )}
      </div>
    </fieldset>
  );
}

interface ChoiceProps {
  readonly label: string;
  readonly config: Config;
  readonly accounts: readonly Address[];
  readonly value: Address;
  readonly onChange: (account: Address) => void;
}

function Choice({ label, config, accounts, value, onChange }: ChoiceProps) {
  const id = useId();
  return (
    <div className="field">
      <label htmlFor={id}>{label}</label>
      <select id={id} value={value} onChange={(event) => onChange(event.target.value as Address)}>
        {accounts.length === 0 && <option value={zeroAddress}>There is none: choose another ask</option>}
        {accounts.map((address) => (
          <option key={address} value={address}>
            {address === zeroAddress
              ? "Nobody: a dispute ends by the written default"
              : [labelOf(config, address), address].filter(Boolean).join(" ")}
          </option>
        ))}
      </select>
    </div>
  );
}
