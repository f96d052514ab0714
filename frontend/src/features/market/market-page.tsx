import { useState } from "react";
import { useAsks } from "@/shared/api/list-asks.ts";
import { Failure } from "@/shared/ui/failure.tsx";
import { NextPage } from "@/shared/ui/next-page.tsx";
import { Waiting } from "@/shared/ui/waiting.tsx";
import { AskTable } from "./ask-table.tsx";
import { type Sorting, sortAsks } from "./sort-asks.ts";

/** What providers offer now. */
export function MarketPage() {
  const asks = useAsks();
  const [sorting, setSorting] = useState<Sorting>({ key: "price", descending: false });
  const rows = asks.data?.pages.flatMap((page) => page.items) ?? [];
  return (
    <>
      <h1>Market</h1>
      <p className="lead">
        Computing power on offer. You pay into escrow; the provider is paid when the verifier that both of you named has
        checked the result.
      </p>
      <Failure error={asks.error} onRetry={() => void asks.refetch()} />
      {asks.isPending && <Waiting>Reading the order book …</Waiting>}
      {rows.length > 0 && <AskTable asks={sortAsks(rows, sorting)} sorting={sorting} onSort={setSorting} />}
      {asks.isSuccess && rows.length === 0 && (
        <p className="notice">Nobody offers anything right now. This page looks again every few seconds.</p>
      )}
      <NextPage query={asks} />
    </>
  );
}
