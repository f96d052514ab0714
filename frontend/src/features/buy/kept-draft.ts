import { useEffect, useState } from "react";

const PREFIX = "computility.draft.";

/** The draft for an ask, kept for this browser tab, so that a reload, a refusal or a way back loses nothing. */
export function useDraft<Draft extends object>(askId: string, fresh: () => Draft) {
  // Over a fresh one: what an older page kept lacks what has been added since.
  const [draft, setDraft] = useState<Draft>(() => ({ ...fresh(), ...keptDraft<Draft>(askId) }));
  useEffect(() => {
    // A browser that keeps nothing still lets one buy.
    try {
      sessionStorage.setItem(PREFIX + askId, JSON.stringify(draft));
    } catch {
      return;
    }
  }, [askId, draft]);
  return [draft, setDraft] as const;
}

function keptDraft<Draft>(askId: string): Partial<Draft> {
  try {
    return JSON.parse(sessionStorage.getItem(PREFIX + askId) ?? "{}") as Partial<Draft>;
  } catch {
    return {};
  }
}
