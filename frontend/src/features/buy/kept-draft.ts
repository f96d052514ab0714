import { useEffect, useState } from "react";
import type { AskMessage, Config } from "@/shared/api/schemas.ts";
import { type Draft, newDraft } from "./draft.ts";

const PREFIX = "computility.draft.";

/** The draft for an ask, kept for this browser tab, so that a reload, a refusal or a way back loses nothing. */
export function useDraft(askId: string, ask: AskMessage, config: Config) {
  const [draft, setDraft] = useState<Draft>(() => keptDraft(askId) ?? newDraft(ask, config));
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

function keptDraft(askId: string): Draft | undefined {
  try {
    const text = sessionStorage.getItem(PREFIX + askId);
    return text === null ? undefined : (JSON.parse(text) as Draft);
  } catch {
    return undefined;
  }
}
