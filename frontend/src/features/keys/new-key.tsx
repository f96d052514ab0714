import { useMutation } from "@tanstack/react-query";
import { useId } from "react";
import { holdKey } from "@/shared/sealing/key-ring.ts";
import { newReaderKey, readKeyFile } from "@/shared/sealing/reader-key.ts";
import { Failure } from "@/shared/ui/failure.tsx";

/** One more key: a new one, or one that comes from its copy. */
export function NewKey({ first }: { readonly first: boolean }) {
  const id = useId();
  const make = useMutation({ mutationFn: async () => holdKey({ ...newReaderKey(), copied: false }) });
  const take = useMutation({
    mutationFn: async (file: File) => holdKey({ ...readKeyFile(await file.text()), copied: true }),
  });
  return (
    <section aria-label="Another key">
      <h2>{first ? "Make or import a key" : "Another key"}</h2>
      <p>
        <button type="button" className={first ? "primary" : undefined} onClick={() => make.mutate()}>
          Make a new key
        </button>
      </p>
      <div className="field">
        <label htmlFor={id}>Import the copy of a key</label>
        <input
          id={id}
          type="file"
          accept=".json,application/json"
          onChange={(event) => {
            const file = event.target.files?.[0];
            event.target.value = "";
            if (file) take.mutate(file);
          }}
        />
      </div>
      {take.isSuccess && (
        <p className="notice good" role="status">
          The key is in this browser now, and new orders are sealed to it.
        </p>
      )}
      <Failure error={make.error ?? take.error} />
    </section>
  );
}
