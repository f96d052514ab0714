import { useMutation, useQueryClient } from "@tanstack/react-query";
import type { Address } from "viem";
import { useProvider } from "@/shared/api/get-provider.ts";
import { Failure } from "@/shared/ui/failure.tsx";
import { StakeFacts } from "@/shared/ui/stake-facts.tsx";
import { useTrader } from "@/shared/wallet/use-trader.ts";
import { claimReward } from "./claim-reward.ts";
import { MoveCredits } from "./move-credits.tsx";
import { stakeReward } from "./stake-reward.ts";

/** A provider's stake, and the earnings in it. Nothing for an account that never registered. */
export function Stake({ address }: { readonly address: Address }) {
  const { data: provider, error } = useProvider(address);
  const trader = useTrader();
  const queryClient = useQueryClient();
  const claiming = useMutation({
    mutationFn: async () => claimReward(trader),
    onSuccess: async () => {
      await queryClient.invalidateQueries({ queryKey: ["provider", address] });
      await queryClient.invalidateQueries({ queryKey: ["account", address] });
    },
  });
  if (!provider) return <Failure error={error} />;
  const claimable = BigInt(provider.reward?.claimable ?? "0");
  return (
    <section aria-label="Stake">
      <h2>Stake</h2>
      <StakeFacts provider={provider} />
      <MoveCredits
        address={address}
        label="Put earnings behind jobs"
        button="Add to the stake"
        hint="From your free balance. It backs your bonds, is slashed first, and becomes claimable bit by bit; what has not vested waits anew."
        done="stand behind your jobs until they have vested."
        suggested=""
        disabled={provider.exit_requested_at !== null || provider.exited_at !== null}
        move={stakeReward}
      />
      {provider.reward && (
        <button
          type="button"
          disabled={claimable === 0n || claiming.isPending || !trader.ready}
          onClick={() => claiming.mutate()}
        >
          {claiming.isPending ? "See your wallet …" : "Claim what has vested"}
        </button>
      )}
      {claiming.isSuccess && (
        <p className="notice good" role="status">
          What had vested is in your wallet.
        </p>
      )}
      <Failure error={claiming.error ?? error} />
    </section>
  );
}
