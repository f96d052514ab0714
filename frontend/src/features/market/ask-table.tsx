import { Link } from "react-router";
import type { AskRow } from "@/shared/api/schemas.ts";
import { formatBps } from "@/shared/money/share.ts";
import { paths } from "@/shared/paths.ts";
import { metricWords } from "@/shared/trade/metric-words.ts";
import { AccountName } from "@/shared/ui/account-name.tsx";
import { Credits } from "@/shared/ui/credits.tsx";
import { ResourceName } from "@/shared/ui/resource-name.tsx";
import { WideTable } from "@/shared/ui/wide-table.tsx";
import type { Sorting, SortKey } from "./sort-asks.ts";

interface Props {
  readonly asks: readonly AskRow[];
  readonly sorting: Sorting;
  readonly onSort: (sorting: Sorting) => void;
}

const COLUMNS: readonly (readonly [title: string, key: SortKey | undefined])[] = [
  ["Resource", "resource"],
  ["Provider", "provider"],
  ["Score", "score"],
  ["Price of a unit", "price"],
  ["Free places", "capacity"],
  ["Checked by", undefined],
  ["Disputes go to", undefined],
  ["Environment", undefined],
];

/** Open asks, with what a buyer wants to know before choosing one. */
export function AskTable({ asks, sorting, onSort }: Props) {
  return (
    <WideTable caption="Open asks">
      <thead>
        <tr>
          {COLUMNS.map(([title, key]) =>
            key ? (
              <th scope="col" key={title} aria-sort={directionOf(sorting, key)}>
                <button type="button" className="sort" onClick={() => onSort(toggled(sorting, key))}>
                  {title}
                </button>
              </th>
            ) : (
              <th scope="col" key={title}>
                {title}
              </th>
            ),
          )}
          <td />
        </tr>
      </thead>
      <tbody>
        {asks.map((row) => (
          <AskLine key={row.ask.id} row={row} />
        ))}
      </tbody>
    </WideTable>
  );
}

function AskLine({ row }: { readonly row: AskRow }) {
  const { id, message } = row.ask;
  return (
    <tr>
      <th scope="row">
        <ResourceName resource={row.resource} />
      </th>
      <td>
        <AccountName address={message.provider} />
      </td>
      <td className="number">{row.provider_score_bps === null ? "new" : formatBps(row.provider_score_bps)}</td>
      <td>
        <Credits atoms={message.unitPrice} /> <small className="muted">for a {metricWords(row.resource.metric)}</small>
      </td>
      <td className="number">
        {row.capacity_left} of {message.maxConcurrent}
      </td>
      <td>
        <Named accounts={message.verifiers} none="whom the two of you choose" />
      </td>
      <td>
        <Named accounts={message.arbiters} none="nobody, or whom the two of you choose" />
      </td>
      <td>
        <code className="long">{message.environment}</code>
      </td>
      <td>
        {row.capacity_left > 0 && row.provider_active ? (
          <Link className="button primary" to={paths.buy(id)}>
            Buy
          </Link>
        ) : (
          <span className="muted">busy</span>
        )}
      </td>
    </tr>
  );
}

function Named({ accounts, none }: { readonly accounts: readonly string[]; readonly none: string }) {
  if (accounts.length === 0) return <span className="muted">{none}</span>;
  return (
    <ul className="plain">
      {accounts.map((address) => (
        <li key={address}>
          <AccountName address={address} />
        </li>
      ))}
    </ul>
  );
}

function directionOf(sorting: Sorting, key: SortKey): "ascending" | "descending" | "none" {
  if (sorting.key !== key) return "none";
  return sorting.descending ? "descending" : "ascending";
}

function toggled(sorting: Sorting, key: SortKey): Sorting {
  return { key, descending: sorting.key === key && !sorting.descending };
}
