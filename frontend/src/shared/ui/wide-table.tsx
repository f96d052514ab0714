import type { ReactNode } from "react";

interface Props {
  readonly caption: string;
  readonly children: ReactNode;
}

/** A table that may be wider than its place: it is pushed aside there, by the keyboard too. */
export function WideTable({ caption, children }: Props) {
  return (
    // biome-ignore lint/a11y/useSemanticElements: a fieldset is for controls
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by the keyboard (WCAG 2.1.1)
    <div className="scroll" role="group" aria-label={caption} tabIndex={0}>
      <table>
        <caption>{caption}</caption>
        {children}
      </table>
    </div>
  );
}
