import { shortHex } from "./account-name.tsx";

/** A hash, short, with every digit at hand. */
export function Hash({ value }: { readonly value: string | null | undefined }) {
  if (!value) return <span className="muted">—</span>;
  return (
    <code className="short" title={value}>
      {shortHex(value)}
    </code>
  );
}
