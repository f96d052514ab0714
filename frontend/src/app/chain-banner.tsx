import { useSwitchChain } from "wagmi";
import { Failure } from "@/shared/ui/failure.tsx";
import { useTrader } from "@/shared/wallet/use-trader.ts";

/** Says when the wallet is on another chain than the node, and offers to switch. */
export function ChainBanner() {
  const { wrongChain, config } = useTrader();
  const { mutate, isPending, error } = useSwitchChain();
  if (!wrongChain) return null;
  return (
    <div className="notice bad" role="alert">
      <p>The wallet is on another chain. This node trades on chain {config.chain_number}.</p>
      <button type="button" disabled={isPending} onClick={() => mutate({ chainId: config.chain_number })}>
        {isPending ? "See your wallet …" : `Switch the wallet to chain ${config.chain_number}`}
      </button>
      <Failure error={error} />
    </div>
  );
}
