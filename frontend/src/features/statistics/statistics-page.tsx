import { useConcentration, useMarketDays, useMarketTotal, usePriceIndex } from "@/shared/api/get-statistics.ts";
import type { ConcentrationAnswer, PriceRow, StatisticsRow } from "@/shared/api/schemas.ts";
import { formatWhole } from "@/shared/money/amount.ts";
import { formatBps } from "@/shared/money/share.ts";
import { useNodeConfig } from "@/shared/node-config.ts";
import { AccountName } from "@/shared/ui/account-name.tsx";
import { Credits } from "@/shared/ui/credits.tsx";
import { Facts } from "@/shared/ui/facts.tsx";
import { Failure } from "@/shared/ui/failure.tsx";
import { NextPage } from "@/shared/ui/next-page.tsx";
import { Waiting } from "@/shared/ui/waiting.tsx";
import { WideTable } from "@/shared/ui/wide-table.tsx";
import { DayChart } from "./day-chart.tsx";

/** What all trades add up to: volume, prices, use, outcomes, and how few have how much of it. */
export function StatisticsPage() {
  const total = useMarketTotal();
  const days = useMarketDays();
  const prices = usePriceIndex();
  const spread = useConcentration();
  const rows = days.data?.pages.flatMap((page) => page.items) ?? [];
  return (
    <>
      <h1>Statistics</h1>
      <p className="lead">
        Sums of every trade on this ledger. They follow from the events alone: the audit adds them up again from the
        chain and compares every one.
      </p>
      {(total.isPending || days.isPending) && <Waiting>Reading the statistics …</Waiting>}
      <Failure error={total.error ?? days.error} onRetry={() => void Promise.all([total.refetch(), days.refetch()])} />
      {total.data?.items[0] && <Totals total={total.data.items[0]} />}
      {days.isSuccess && rows.length === 0 && <p className="notice">Nobody has traded yet.</p>}
      {rows.length > 0 && <Days rows={[...rows].reverse()} />}
      <NextPage query={days} />
      <Failure error={prices.error} onRetry={() => void prices.refetch()} />
      {prices.data && prices.data.items.length > 0 && <Prices rows={[...prices.data.items].reverse()} />}
      <Failure error={spread.error} onRetry={() => void spread.refetch()} />
      {spread.data && spread.data.top.length > 0 && <Concentration spread={spread.data} />}
    </>
  );
}

function Totals({ total }: { readonly total: StatisticsRow }) {
  return (
    <Facts
      rows={[
        ["Volume", <Credits key="volume" atoms={total.volume} />],
        ["Jobs", `${formatWhole(total.opened)} opened, ${formatWhole(total.closed)} closed`],
        [
          "How they ended",
          `${formatWhole(total.passed)} passed, ${formatWhole(total.failed)} failed, ${formatWhole(total.claimed)} on the provider's claim, ${formatWhole(total.reclaimed)} refunded after their end`,
        ],
        ["Disputes", `${formatWhole(total.disputed)}, ${formatWhole(total.ruled)} of them ruled`],
        ["Use of what was ordered", total.use_bps === null ? "—" : formatBps(total.use_bps)],
        ["Slashed", <Credits key="slashed" atoms={total.slashed} />],
        ["Settled", total.confirmation],
      ]}
    />
  );
}

function Days({ rows }: { readonly rows: readonly StatisticsRow[] }) {
  const credits = useCredits();
  const { credit } = useNodeConfig();
  const days = rows.map(({ date }) => date ?? "");
  return (
    <section aria-label="By day">
      <h2>By day</h2>
      <div className="charts">
        <DayChart
          title="Volume"
          unit={`${credit.symbol} a day`}
          days={days}
          kind="bars"
          series={[{ name: "volume", values: rows.map(({ volume }) => credits(volume)) }]}
        />
        <DayChart
          title="Jobs"
          unit="jobs a day"
          days={days}
          kind="lines"
          series={[
            { name: "opened", values: rows.map(({ opened }) => opened) },
            { name: "closed", values: rows.map(({ closed }) => closed) },
            { name: "failed", values: rows.map(({ failed }) => failed) },
            { name: "disputed", values: rows.map(({ disputed }) => disputed) },
          ]}
        />
        <DayChart
          title="Concentration"
          unit="HHI, 10 000 is a monopoly"
          days={days}
          kind="lines"
          series={[{ name: "HHI", values: rows.map(({ concentration }) => concentration?.hhi || null) }]}
        />
      </div>
    </section>
  );
}

function Prices({ rows }: { readonly rows: readonly PriceRow[] }) {
  const credits = useCredits();
  const { credit } = useNodeConfig();
  const days = [...new Set(rows.map(({ date }) => date))];
  const kinds = [...new Set(rows.map(({ kind }) => kind))].sort();
  return (
    <section aria-label="Prices">
      <h2>Price index</h2>
      <div className="charts">
        {kinds.map((kind) => {
          const of = new Map(rows.filter((row) => row.kind === kind).map((row) => [row.date, row]));
          const values = (read: (row: PriceRow) => string) =>
            days.map((day) => {
              const row = of.get(day);
              return row === undefined ? null : credits(read(row));
            });
          return (
            <DayChart
              key={kind}
              title={`A unit of ${kind}`}
              unit={credit.symbol}
              days={days}
              kind="lines"
              series={[
                { name: "mean by units", values: values((row) => row.mean_price) },
                { name: "lowest", values: values((row) => row.low_price) },
                { name: "highest", values: values((row) => row.high_price) },
              ]}
            />
          );
        })}
      </div>
    </section>
  );
}

function Concentration({ spread }: { readonly spread: ConcentrationAnswer }) {
  return (
    <section aria-label="Concentration">
      <h2>Who sells most</h2>
      <p>
        From {spread.since} to {spread.until}: HHI {formatWhole(spread.hhi)}; the largest has{" "}
        {formatBps(spread.top_share_bps)}, the largest four have {formatBps(spread.top_four_share_bps)}.
      </p>
      <WideTable caption="Providers with the largest volume">
        <thead>
          <tr>
            <th scope="col">Provider</th>
            <th scope="col">Volume</th>
            <th scope="col">Share</th>
          </tr>
        </thead>
        <tbody>
          {spread.top.map((seller) => (
            <tr key={seller.provider}>
              <th scope="row">
                <AccountName address={seller.provider} />
              </th>
              <td>
                <Credits atoms={seller.volume} />
              </td>
              <td className="number">{formatBps(seller.share_bps)}</td>
            </tr>
          ))}
        </tbody>
      </WideTable>
    </section>
  );
}

/** Credits as a number, for a picture only: sums beyond 2^53 lose their last digits. */
function useCredits() {
  const { credit } = useNodeConfig();
  return (atoms: string) => Number(atoms) / 10 ** credit.decimals;
}
