import { useMutation } from "@tanstack/react-query";
import { Link } from "react-router";
import type { Address } from "viem";
import { paths } from "@/shared/paths.ts";
import { holdKey, useKeyRing } from "@/shared/sealing/key-ring.ts";
import { newReaderKey } from "@/shared/sealing/reader-key.ts";
import { Failure } from "@/shared/ui/failure.tsx";
import { Hash } from "@/shared/ui/hash.tsx";
import { TextField } from "@/shared/ui/text-field.tsx";
import { ChoiceField } from "./choice-field.tsx";
import type { SealingDraft } from "./sealing-draft.ts";
import { ToldKeyChoices } from "./told-key-choices.tsx";

interface Props {
  readonly sealing: SealingDraft;
  readonly onChange: (sealing: SealingDraft) => void;
  readonly provider: Address;
  /** Who is to run the job again. */
  readonly verifiers: readonly Address[];
}

/** Who can read what the job reads and writes. It stands before the files: what was uploaded openly is not secret any more. */
export function SealingFields({ sealing, onChange, provider, verifiers }: Props) {
  const [own] = useKeyRing();
  const make = useMutation({
    mutationFn: async () => {
      // The first sealed order of a browser makes its key: without one nobody could open what comes back.
      if (own === undefined) holdKey({ ...newReaderKey(), copied: false });
    },
  });
  const choose = (choice: "open" | "sealed") => {
    if (choice === "sealed") make.mutate();
    onChange({ ...sealing, sealed: choice === "sealed" });
  };
  return (
    <fieldset>
      <legend>Who can read it</legend>
      <ChoiceField
        label="Inputs and outputs"
        value={sealing.sealed ? "sealed" : "open"}
        options={[
          ["open", "Open: everybody can read what is uploaded here"],
          ["sealed", "Sealed: you and the readers that you name can read them"],
        ]}
        onChange={choose}
        hint="Choose before the files: one that was uploaded openly is secret no more, so files of your own are asked for again."
      />
      <Failure error={make.error} />
      {sealing.sealed && (
        <>
          <ToldKeyChoices
            provider={provider}
            verifiers={verifiers}
            readers={sealing.readers}
            onChange={(readers) => onChange({ ...sealing, readers })}
          />
          <TextField
            label="Reader keys"
            rows={Math.min(6, Math.max(2, sealing.readers.split("\n").length))}
            value={sealing.readers}
            onChange={(readers) => onChange({ ...sealing, readers })}
            hint="One a line: the provider's, or it cannot run the job, those of verifiers who are to run it again, and whose you like. `computility wallet reader-key` prints one."
          />
          <p className="notice warn">
            <strong>The provider is a reader.</strong> Without a trusted execution environment it can see everything
            that the job sees, its memory included. Sealing keeps your data from everybody else, this node among them.
            Open to all stay the program, its arguments, the names and sizes of files, who trades, and what is paid. A
            verifier who is no reader cannot tell whether the result is right, and says so, which harms nobody.
          </p>
          {own !== undefined && (
            <p className={own.copied ? "muted" : "notice warn"}>
              Results are sealed to your key <Hash value={own.public} /> too, which is in this browser alone.{" "}
              {own.copied ? (
                <Link to={paths.keys}>Reader keys</Link>
              ) : (
                <>
                  There is no copy of it yet, and without it nobody can open them:{" "}
                  <Link to={paths.keys}>save a copy</Link>.
                </>
              )}
            </p>
          )}
        </>
      )}
    </fieldset>
  );
}
