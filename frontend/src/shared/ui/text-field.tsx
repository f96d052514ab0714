import { type ReactNode, useId } from "react";

interface Props {
  readonly label: string;
  readonly value: string;
  readonly onChange: (value: string) => void;
  readonly hint?: ReactNode;
  readonly unit?: string;
  readonly numeric?: boolean;
  readonly rows?: number;
}

/** A labelled line or box of text. */
export function TextField({ label, value, onChange, hint, unit, numeric = false, rows }: Props) {
  const id = useId();
  const described = hint === undefined ? {} : { "aria-describedby": `${id}-hint` };
  return (
    <div className="field">
      <label htmlFor={id}>{label}</label>
      {rows === undefined ? (
        <span className="with-unit">
          <input
            id={id}
            value={value}
            inputMode={numeric ? "decimal" : "text"}
            autoComplete="off"
            spellCheck={false}
            onChange={(event) => onChange(event.target.value)}
            {...described}
          />
          {unit && <span className="muted">{unit}</span>}
        </span>
      ) : (
        <textarea
          id={id}
          rows={rows}
          value={value}
          spellCheck={false}
          onChange={(event) => onChange(event.target.value)}
          {...described}
        />
      )}
      {hint !== undefined && (
        <small id={`${id}-hint`} className="muted">
          {hint}
        </small>
      )}
    </div>
  );
}
