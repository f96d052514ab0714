import { useMutation } from "@tanstack/react-query";
import type { Address } from "viem";
import { isDevelopmentChain } from "@/shared/chain/chain.ts";
import { formatAmount } from "@/shared/money/amount.ts";
import { Credits } from "@/shared/ui/credits.tsx";
import { Failure } from "@/shared/ui/failure.tsx";
import type { Trader } from "@/shared/wallet/use-trader.ts";
import { type Funds, mintPlayMoney, reserveForShortage, swapReserve } from "./funds.ts";

interface Props {
  readonly trader: Trader;
  readonly owner: Address;
  readonly funds: Funds;
  readonly price: bigint;
  readonly onDone: () => void;
}

/** Turns reserve tokens into the credits that are missing, one for one. */
export function FundWallet({ trader, owner, funds, price, onDone }: Props) {
  const { reserve } = trader.config;
  const needed = reserveForShortage(funds, price);
  const lacking = needed > funds.reserve ? needed - funds.reserve : 0n;
  const swap = useMutation({ mutationFn: () => swapReserve(trader, owner, needed), onSuccess: onDone });
  const mint = useMutation({ mutationFn: () => mintPlayMoney(trader, owner, lacking), onSuccess: onDone });
  const inReserve = (amount: bigint) => `${formatAmount(amount, reserve.decimals)} ${reserve.symbol}`;
  return (
    <div className="notice">
      <p>
        Your wallet holds <Credits atoms={funds.wallet} /> and the job needs <Credits atoms={price} />. Credits are
        swapped for {reserve.name} one for one, and back at any time.
      </p>
      {lacking === 0n ? (
        <button
          type="button"
          className="primary"
          disabled={swap.isPending || !trader.ready}
          onClick={() => swap.mutate()}
        >
          {swap.isPending ? "Approve and swap in your wallet …" : `Swap ${inReserve(needed)} for credits`}
        </button>
      ) : isDevelopmentChain(trader.config) ? (
        <button type="button" disabled={mint.isPending || !trader.ready} onClick={() => mint.mutate()}>
          {mint.isPending ? "Minting …" : `Mint ${inReserve(lacking)} of play money`}
        </button>
      ) : (
        <p>
          You have {inReserve(funds.reserve)}: bring {inReserve(lacking)} more to this wallet to go on.
        </p>
      )}
      <Failure error={swap.error ?? mint.error} />
    </div>
  );
}
