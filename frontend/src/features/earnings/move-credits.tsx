import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import type { Address } from "viem";
import { parseAmount } from "@/shared/money/amount.ts";
import { Credits } from "@/shared/ui/credits.tsx";
import { Failure } from "@/shared/ui/failure.tsx";
import { TextField } from "@/shared/ui/text-field.tsx";
import { type Trader, useTrader } from "@/shared/wallet/use-trader.ts";

interface Props {
  readonly address: Address;
  readonly label: string;
  readonly button: string;
  readonly hint: string;
  /** What follows the amount once it has moved. */
  readonly done: string;
  /** The amount as long as nothing else was typed. */
  readonly suggested: string;
  readonly primary?: boolean;
  readonly disabled: boolean;
  readonly move: (trader: Trader, account: Address, amount: bigint) => Promise<bigint>;
}

/** One amount, one button: moves credits between the wallet and the balance in the escrow. */
export function MoveCredits({ address, label, button, hint, done, suggested, primary, disabled, move }: Props) {
  const trader = useTrader();
  const queryClient = useQueryClient();
  const [typed, setTyped] = useState<string>();
  const { symbol, decimals } = trader.config.credit;
  const amount = typed ?? suggested;
  const moving = useMutation({
    mutationFn: async () => move(trader, address, parseAmount(amount, decimals)),
    onSuccess: async () => {
      setTyped(undefined);
      await queryClient.invalidateQueries({ queryKey: ["account", address] });
      await queryClient.invalidateQueries({ queryKey: ["provider", address] });
    },
  });
  return (
    <form
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        moving.mutate();
      }}
    >
      <div className="row">
        <TextField label={label} unit={symbol} numeric value={amount} onChange={setTyped} hint={hint} />
        <button
          type="submit"
          className={primary ? "primary" : undefined}
          disabled={moving.isPending || disabled || !trader.ready}
        >
          {moving.isPending ? "See your wallet …" : button}
        </button>
      </div>
      {moving.data !== undefined && (
        <p className="notice good" role="status">
          <Credits atoms={moving.data} /> {done}
        </p>
      )}
      <Failure error={moving.error} />
    </form>
  );
}
