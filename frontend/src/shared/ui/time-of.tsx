import { formatTime } from "@/shared/time.ts";

/** A moment on the chain. */
export function TimeOf({ seconds }: { readonly seconds: number | null | undefined }) {
  if (seconds === null || seconds === undefined) return <span className="muted">—</span>;
  return <time dateTime={new Date(seconds * 1000).toISOString()}>{formatTime(seconds)}</time>;
}
