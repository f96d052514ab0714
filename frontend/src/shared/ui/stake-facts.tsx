import type { ProviderRow } from "@/shared/api/schemas.ts";
import { Credits } from "./credits.tsx";
import { Facts } from "./facts.tsx";
import { TimeOf } from "./time-of.tsx";

/** What a provider stands to lose: its stake, what of it stands behind open jobs, and the earnings in it that vest. */
export function StakeFacts({ provider }: { readonly provider: ProviderRow }) {
  const { reward } = provider;
  return (
    <Facts
      rows={[
        ["Standing", standingOf(provider)],
        ["Stake", <Credits key="stake" atoms={provider.stake} />],
        ["Reserved for open jobs", <Credits key="reserved" atoms={provider.reserved} />],
        ...(reward
          ? ([
              ["Earnings in it, vested", <Credits key="vested" atoms={reward.vested} />],
              [
                "Not vested yet",
                <span key="unvested">
                  <Credits atoms={reward.unvested} />
                  {reward.vests_by !== null && (
                    <>
                      , all by <TimeOf seconds={reward.vests_by} />
                    </>
                  )}
                </span>,
              ],
              ["Claimable now", <Credits key="claimable" atoms={reward.claimable} />],
              ["Lost to slashes", <Credits key="lost" atoms={reward.lost} />],
            ] as const)
          : []),
      ]}
    />
  );
}

function standingOf(provider: ProviderRow): string {
  if (provider.exited_at !== null) return "has left";
  if (provider.exit_requested_at !== null) return "is leaving";
  return provider.active ? "active" : "suspended: its stake is too small for new jobs";
}
