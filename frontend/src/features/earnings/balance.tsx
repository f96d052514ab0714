import { useMutation, useQueryClient } from "@tanstack/react-query";
import type { Address } from "viem";
import { useAccountRow } from "@/shared/api/get-account.ts";
import { Credits } from "@/shared/ui/credits.tsx";
import { Facts } from "@/shared/ui/facts.tsx";
import { Failure } from "@/shared/ui/failure.tsx";
import { useTrader } from "@/shared/wallet/use-trader.ts";
import { claimAll } from "./claim.ts";

/** What an account has inside the escrow, and the way out of it. */
export function Balance({ address }: { readonly address: Address }) {
  const trader = useTrader();
  const account = useAccountRow(address);
  const queryClient = useQueryClient();
  const claim = useMutation({
    mutationFn: () => claimAll(trader, address),
    onSuccess: () => queryClient.invalidateQueries({ queryKey: ["account", address] }),
  });
  const nothing = account.data?.free === "0";
  return (
    <section aria-label="Balance">
      <Facts
        rows={[
          ["Free to claim", <Credits key="free" atoms={account.data?.free} />],
          ["Locked in jobs and bonds", <Credits key="locked" atoms={account.data?.locked} />],
          ["In your wallet", <Credits key="wallet" atoms={account.data?.credit_balance} />],
        ]}
      />
      <p>
        <button
          type="button"
          className="primary"
          disabled={claim.isPending || nothing || account.data === undefined || !trader.ready}
          onClick={() => claim.mutate()}
        >
          {claim.isPending ? "See your wallet …" : "Claim to wallet"}
        </button>{" "}
        <span className="muted">A running agent takes its bonds from the free balance: leave it enough to go on.</span>
      </p>
      {claim.data !== undefined && (
        <p className="notice good" role="status">
          <Credits atoms={claim.data} /> moved to your wallet.
        </p>
      )}
      <Failure error={account.error ?? claim.error} />
    </section>
  );
}
