import { Fragment, type ReactNode } from "react";

interface Props {
  readonly rows: readonly (readonly [name: string, value: ReactNode])[];
}

/** Names and values, one pair a row. */
export function Facts({ rows }: Props) {
  return (
    <dl className="facts">
      {rows.map(([name, value]) => (
        <Fragment key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </Fragment>
      ))}
    </dl>
  );
}
