import { useSyncExternalStore } from "react";
import type { Hex } from "viem";
import { PageError } from "@/shared/errors/page-error.ts";
import { isReaderKey, type ReaderKey, readerKeyOf } from "./reader-key.ts";

const PLACE = "computility.reader-keys";

/** A key of this browser. */
export interface HeldKey extends ReaderKey {
  /** Whether a copy of it was saved, or it came from one. */
  readonly copied: boolean;
}

let read: { readonly text: string | null; readonly keys: readonly HeldKey[] } = { text: null, keys: [] };

/** The keys of this browser; new orders are sealed to the first. They rest in its storage for this page, and go nowhere else. */
export function keyRing(): readonly HeldKey[] {
  const text = storedText();
  if (text !== read.text) read = { text, keys: parsed(text) };
  return read.keys;
}

/** The keys of this browser, as they change. */
export function useKeyRing(): readonly HeldKey[] {
  return useSyncExternalStore(listen, keyRing);
}

/** Puts a key first; one that is held already moves there. Throws `PageError` where this browser keeps nothing. */
export function holdKey(key: HeldKey): void {
  write([key, ...keyRing().filter((other) => other.public !== key.public)]);
}

/** Remembers that a copy of a key was saved. */
export function keyWasCopied(named: Hex): void {
  write(keyRing().map((key) => (key.public === named ? { ...key, copied: true } : key)));
}

/** Forgets a key for good. */
export function forgetKey(named: Hex): void {
  write(keyRing().filter((key) => key.public !== named));
}

function write(keys: readonly HeldKey[]): void {
  try {
    localStorage.setItem(PLACE, JSON.stringify(keys.map(({ secret, copied }) => ({ secret, copied }))));
  } catch (error) {
    const message =
      "This browser keeps nothing for this page, so a reader key would be lost: allow storage, or use another.";
    throw new PageError(message, { cause: error });
  }
  for (const tell of listeners) tell();
}

function parsed(text: string | null): readonly HeldKey[] {
  try {
    const found: unknown = JSON.parse(text ?? "[]");
    if (!Array.isArray(found)) return [];
    return found
      .filter((entry) => isReaderKey(entry?.secret))
      .map((entry) => ({ ...readerKeyOf(entry.secret), copied: entry.copied === true }));
  } catch {
    return [];
  }
}

function storedText(): string | null {
  try {
    return localStorage.getItem(PLACE);
  } catch {
    return null;
  }
}

const listeners = new Set<() => void>();

function listen(tell: () => void): () => void {
  listeners.add(tell);
  // Another tab of the same browser.
  window.addEventListener("storage", tell);
  return () => {
    listeners.delete(tell);
    window.removeEventListener("storage", tell);
  };
}
