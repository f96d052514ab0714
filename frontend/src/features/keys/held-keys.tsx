import { useMutation } from "@tanstack/react-query";
import { useState } from "react";
import { forgetKey, type HeldKey, holdKey, keyWasCopied } from "@/shared/sealing/key-ring.ts";
import { Failure } from "@/shared/ui/failure.tsx";
import { saveKeyFile } from "./save-key-file.ts";

/** The keys that this browser holds, the one for new orders first. */
export function HeldKeys({ keys }: { readonly keys: readonly HeldKey[] }) {
  if (keys.length === 0) return <p className="notice">This browser holds no reader key yet.</p>;
  return (
    <ul className="plain" aria-label="Reader keys of this browser">
      {keys.map((key, place) => (
        <li key={key.public}>
          <Held held={key} first={place === 0} />
        </li>
      ))}
    </ul>
  );
}

function Held({ held, first }: { readonly held: HeldKey; readonly first: boolean }) {
  const [forgetting, setForgetting] = useState(false);
  const change = useMutation({ mutationFn: async (what: () => void) => what() });
  const save = () => {
    saveKeyFile(held);
    keyWasCopied(held.public);
  };
  return (
    <>
      <p>
        <code className="long">{held.public}</code>{" "}
        <span className="muted">
          {first && "New orders are sealed to it. "}
          {held.copied ? "A copy was saved." : "There is no copy of it."}
        </span>
      </p>
      <p className="choices">
        <button type="button" className={held.copied ? "small" : "small primary"} onClick={() => change.mutate(save)}>
          Save a copy
        </button>
        {!first && (
          <button type="button" className="small" onClick={() => change.mutate(() => holdKey(held))}>
            Use it for new orders
          </button>
        )}
        {forgetting ? (
          <>
            <button type="button" className="small" onClick={() => change.mutate(() => forgetKey(held.public))}>
              Forget it for good
            </button>
            <button type="button" className="small" onClick={() => setForgetting(false)}>
              Keep it
            </button>
          </>
        ) : (
          <button type="button" className="small" onClick={() => setForgetting(true)}>
            Forget …
          </button>
        )}
      </p>
      {forgetting && (
        <p className="notice warn" role="status">
          {held.copied
            ? "What is sealed to it opens here only after its copy is imported again."
            : "There is no copy: what is sealed to it will never be opened again."}
        </p>
      )}
      <Failure error={change.error} />
    </>
  );
}
