import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import type { Address } from "viem";
import { useAccountRow } from "@/shared/api/get-account.ts";
import { formatAmount, parseAmount } from "@/shared/money/amount.ts";
import { Credits } from "@/shared/ui/credits.tsx";
import { Facts } from "@/shared/ui/facts.tsx";
import { Failure } from "@/shared/ui/failure.tsx";
import { TextField } from "@/shared/ui/text-field.tsx";
import { useTrader } from "@/shared/wallet/use-trader.ts";
import { claim } from "./claim.ts";

/** What an account has inside the escrow, and the way out of it. */
export function Balance({ address }: { readonly address: Address }) {
  const trader = useTrader();
  const account = useAccountRow(address);
  const queryClient = useQueryClient();
  // Everything, unless something else was typed.
  const [typed, setTyped] = useState<string>();
  const { symbol, decimals } = trader.config.credit;
  const amount = typed ?? formatAmount(BigInt(account.data?.free ?? "0"), decimals);
  const withdrawal = useMutation({
    mutationFn: async () => claim(trader, address, parseAmount(amount, decimals)),
    onSuccess: async () => {
      setTyped(undefined);
      await queryClient.invalidateQueries({ queryKey: ["account", address] });
    },
  });
  const nothing = account.data === undefined || account.data.free === "0";
  return (
    <section aria-label="Balance">
      <Facts
        rows={[
          ["Free to claim", <Credits key="free" atoms={account.data?.free} />],
          ["Locked in jobs and bonds", <Credits key="locked" atoms={account.data?.locked} />],
          ["In your wallet", <Credits key="wallet" atoms={account.data?.credit_balance} />],
        ]}
      />
      <form
        className="row"
        noValidate
        onSubmit={(event) => {
          event.preventDefault();
          withdrawal.mutate();
        }}
      >
        <TextField
          label="Claim"
          unit={symbol}
          numeric
          value={amount}
          onChange={setTyped}
          hint="A running agent takes its bonds from the free balance: leave it enough to go on."
        />
        <button type="submit" className="primary" disabled={withdrawal.isPending || nothing || !trader.ready}>
          {withdrawal.isPending ? "See your wallet …" : "Claim to wallet"}
        </button>
      </form>
      {withdrawal.data !== undefined && (
        <p className="notice good" role="status">
          <Credits atoms={withdrawal.data} /> moved to your wallet.
        </p>
      )}
      <Failure error={account.error ?? withdrawal.error} />
    </section>
  );
}
