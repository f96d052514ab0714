import { useEffect, useRef } from "react";
import type { Address } from "viem";
import { useNodeConfig } from "@/shared/node-config.ts";
import { signingDomain } from "@/shared/trade/terms.ts";
import { AccountName } from "@/shared/ui/account-name.tsx";
import { Failure } from "@/shared/ui/failure.tsx";
import { Hash } from "@/shared/ui/hash.tsx";
import { useToldKeys } from "./told-keys.ts";

interface Props {
  readonly provider: Address;
  readonly verifiers: readonly Address[];
  /** Reader keys, one a line. */
  readonly readers: string;
  readonly onChange: (readers: string) => void;
}

/** Keys that provider and verifiers told, each to be ticked. As long as nobody is named all of them are. */
export function ToldKeyChoices({ provider, verifiers, readers, onChange }: Props) {
  const accounts = [provider, ...verifiers];
  const { told, isPending, error } = useToldKeys(accounts, signingDomain(useNodeConfig()), true);
  const named = readers.split(/\s+/).filter((word) => word !== "");
  const proposed = useRef(named.length > 0);
  useEffect(() => {
    if (proposed.current || isPending || told.length === 0) return;
    proposed.current = true;
    onChange(told.map(({ key }) => key).join("\n"));
  }, [isPending, told, onChange]);
  const toggle = (key: string, ticked: boolean) =>
    onChange((ticked ? [...named, key] : named.filter((word) => word !== key)).join("\n"));
  return (
    <>
      <Failure error={error} />
      {!isPending && told.length === 0 && (
        <p className="muted">Neither the provider nor a verifier told its key in the journal.</p>
      )}
      <ul className="plain" aria-label="Readers who told their keys">
        {told.map(({ account, key }) => (
          <li key={key}>
            <label>
              <input
                type="checkbox"
                checked={named.includes(key)}
                onChange={(event) => toggle(key, event.target.checked)}
              />{" "}
              {account === provider ? "The provider" : "Verifier"} <AccountName address={account} />, key{" "}
              <Hash value={key} />
            </label>
          </li>
        ))}
      </ul>
    </>
  );
}
