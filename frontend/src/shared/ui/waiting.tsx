import type { ReactNode } from "react";

/** Something is on its way. */
export function Waiting({ children }: { readonly children: ReactNode }) {
  return (
    <p className="waiting" role="status">
      <span className="spinner" aria-hidden="true" />
      {children}
    </p>
  );
}
