import { useKeyRing } from "@/shared/sealing/key-ring.ts";
import { HeldKeys } from "./held-keys.tsx";
import { NewKey } from "./new-key.tsx";

/** The reader keys of this browser: what they are, how they are kept, and how one gets a copy out and in. */
export function KeysPage() {
  const keys = useKeyRing();
  return (
    <>
      <h1>Reader keys</h1>
      <p className="lead">
        A reader key opens what is sealed to it: the inputs and outputs of jobs that you order sealed. It is made in
        this browser. Nothing on this page is sent anywhere.
      </p>
      <ul>
        <li>
          <strong>How it is kept.</strong> In this browser’s storage for this page, not encrypted. Whoever uses this
          profile of the browser can read it, and clearing the browser’s data deletes it.
        </li>
        <li>
          <strong>How it is backed up.</strong> Save a copy, and keep it as you keep a password. Without key or copy
          nobody can open what is sealed to you: not this node, not the provider, not us.
        </li>
        <li>
          <strong>How it comes back.</strong> Import the copy here, in any browser; or use it on the command line with{" "}
          <code>computility job outputs JOB --reader-key FILE</code>. A key of the command line comes here by{" "}
          <code>computility wallet reader-key --save FILE</code>.
        </li>
        <li>
          <strong>What you may tell.</strong> The public half, which begins each entry below: whoever seals something to
          you needs it.
        </li>
      </ul>
      <HeldKeys keys={keys} />
      <NewKey first={keys.length === 0} />
    </>
  );
}
