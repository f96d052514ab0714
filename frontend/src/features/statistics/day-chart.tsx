import { formatWhole } from "@/shared/money/amount.ts";
import { Facts } from "@/shared/ui/facts.tsx";

export interface Series {
  readonly name: string;
  /** By the days' order; null where there is nothing to say of a day. */
  readonly values: readonly (number | null)[];
}

interface Props {
  readonly title: string;
  readonly unit: string;
  /** ISO dates, ascending. */
  readonly days: readonly string[];
  readonly series: readonly Series[];
  readonly kind: "bars" | "lines";
}

const WIDTH = 720;
const HEIGHT = 180;
const LEFT = 64;
const BOTTOM = 22;
const TOP = 8;
/** So that the first days of a ledger look like days. */
const WIDEST_BAR = 40;

/** Values by day, as bars or lines; in words while there is one day only, of which a picture shows nothing. Every value is in a title, for whoever hovers or listens. */
export function DayChart({ title, unit, days, series, kind }: Props) {
  if (days.length < 2) {
    return (
      <figure className="chart">
        <figcaption>
          {title} <span className="muted">({unit})</span>, {days[0]}
        </figcaption>
        <Facts rows={series.map(({ name, values }) => [name, values[0] == null ? "—" : short(values[0])])} />
      </figure>
    );
  }
  const highest = Math.max(...series.flatMap(({ values }) => values.map((value) => value ?? 0)), 0);
  const step = (WIDTH - LEFT) / Math.max(days.length, 1);
  const bar = Math.min(step * 0.8, WIDEST_BAR);
  const x = (at: number) => LEFT + step * (at + 0.5);
  const y = (value: number) => TOP + (HEIGHT - TOP - BOTTOM) * (1 - (highest > 0 ? value / highest : 0));
  return (
    <figure className="chart">
      <figcaption>
        {title} <span className="muted">({unit})</span>
      </figcaption>
      <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} role="img" aria-label={`${title}, ${unit}`}>
        <line className="axis" x1={LEFT} x2={WIDTH} y1={y(0)} y2={y(0)} />
        <text className="tick" x={LEFT - 6} y={y(highest) + 8} textAnchor="end">
          {short(highest)}
        </text>
        <text className="tick" x={LEFT - 6} y={y(0)} textAnchor="end">
          0
        </text>
        <text className="tick" x={LEFT} y={HEIGHT - 4}>
          {days[0]}
        </text>
        <text className="tick" x={WIDTH} y={HEIGHT - 4} textAnchor="end">
          {days.at(-1)}
        </text>
        {series.map((one, index) => (
          <g key={one.name} className={`series series-${index % 4}`}>
            {kind === "lines" && <polyline points={points(one.values, x, y)} />}
            {one.values.map((value, at) => {
              if (value === null) return null;
              const label = `${days[at]}: ${short(value)} ${unit}${series.length > 1 ? `, ${one.name}` : ""}`;
              return kind === "bars" ? (
                <rect key={days[at]} x={x(at) - bar / 2} y={y(value)} width={bar} height={y(0) - y(value)}>
                  <title>{label}</title>
                </rect>
              ) : (
                <circle key={days[at]} cx={x(at)} cy={y(value)} r={3}>
                  <title>{label}</title>
                </circle>
              );
            })}
          </g>
        ))}
      </svg>
      {series.length > 1 && (
        <ul className="legend">
          {series.map((one, index) => (
            <li key={one.name} className={`series-${index % 4}`}>
              {one.name}
            </li>
          ))}
        </ul>
      )}
    </figure>
  );
}

function points(values: readonly (number | null)[], x: (at: number) => number, y: (value: number) => number): string {
  return values.flatMap((value, at) => (value === null ? [] : [`${x(at)},${y(value)}`])).join(" ");
}

/** Four digits are enough for a glance. */
function short(value: number): string {
  const rounded = Number(value.toPrecision(4));
  return Number.isSafeInteger(rounded) ? formatWhole(rounded) : rounded.toString();
}
