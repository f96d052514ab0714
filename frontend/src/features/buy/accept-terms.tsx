import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "react-router";
import { type Address, type Hex, isAddressEqual } from "viem";
import { CO_SIGN, paths } from "@/shared/paths.ts";
import { formatSpan } from "@/shared/time.ts";
import { useChainClock } from "@/shared/trade/chain-clock.ts";
import { escrowOf, type Terms } from "@/shared/trade/terms.ts";
import { Failure } from "@/shared/ui/failure.tsx";
import { Waiting } from "@/shared/ui/waiting.tsx";
import { useTrader } from "@/shared/wallet/use-trader.ts";
import { FundWallet } from "./fund-wallet.tsx";
import { type Funds, useFunds } from "./funds.ts";
import { openJob, type PaidFrom } from "./open-job.ts";

interface Props {
  readonly buyer: Address;
  readonly jobId: string;
  readonly terms: Terms;
  readonly providerSignature: Hex;
}

/** Pays into escrow and opens the job: one signature and one transaction. */
export function AcceptTerms({ buyer, jobId, terms, providerSignature }: Props) {
  const trader = useTrader();
  const funds = useFunds(trader, buyer);
  const navigate = useNavigate();
  const queryClient = useQueryClient();
  const left = terms.openBy - useChainClock();
  const open = useMutation({
    mutationFn: (paidFrom: PaidFrom) => openJob(trader, terms, providerSignature, paidFrom),
    onSuccess: async () => {
      void queryClient.invalidateQueries({ queryKey: ["jobs"] });
      // Who verifies what it bought co-signs a meter, and has to begin at once.
      if (isAddressEqual(terms.verifier, buyer)) await navigate(paths.lease(jobId), { state: CO_SIGN });
      else await navigate(paths.job(jobId));
    },
  });
  if (left <= 0) return <p className="notice bad">The time to open these terms is over: ask for a new quote.</p>;
  if (funds.data === undefined) {
    if (funds.error) return <Failure error={funds.error} onRetry={() => void funds.refetch()} />;
    return <Waiting>Reading your balance …</Waiting>;
  }
  const price = escrowOf(terms);
  const choices = waysToPay(funds.data, price);
  return (
    <section aria-label="Pay">
      {choices.length === 0 && (
        <FundWallet
          trader={trader}
          owner={buyer}
          funds={funds.data}
          price={price}
          onDone={() => void funds.refetch()}
        />
      )}
      <div className="choices">
        {choices.map(([paidFrom, words]) => (
          <button
            key={paidFrom}
            type="button"
            className="primary"
            disabled={open.isPending || !trader.ready}
            onClick={() => open.mutate(paidFrom)}
          >
            {open.isPending && open.variables === paidFrom ? "Sign in your wallet, and wait …" : words}
          </button>
        ))}
      </div>
      <p className="muted">The provider holds these terms open for another {formatSpan(left)}.</p>
      <Failure error={open.error ?? funds.error} />
    </section>
  );
}

function waysToPay(funds: Funds, price: bigint): (readonly [PaidFrom, string])[] {
  const ways: (readonly [PaidFrom, string])[] = [];
  if (funds.wallet >= price) ways.push(["wallet", "Pay from the wallet and open the job"]);
  if (funds.free >= price && price > 0n) ways.push(["balance", "Pay from the balance in the escrow and open the job"]);
  return ways;
}
