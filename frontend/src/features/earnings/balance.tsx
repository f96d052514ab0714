import type { Address } from "viem";
import { useAccountRow } from "@/shared/api/get-account.ts";
import { formatAmount } from "@/shared/money/amount.ts";
import { useNodeConfig } from "@/shared/node-config.ts";
import { Credits } from "@/shared/ui/credits.tsx";
import { Facts } from "@/shared/ui/facts.tsx";
import { Failure } from "@/shared/ui/failure.tsx";
import { claim } from "./claim.ts";
import { deposit } from "./deposit.ts";
import { MoveCredits } from "./move-credits.tsx";
import { redeem } from "./redeem.ts";

/** What an account has inside the escrow, and the ways out of it and into it. */
export function Balance({ address }: { readonly address: Address }) {
  const { credit, reserve } = useNodeConfig();
  const { data, error } = useAccountRow(address);
  return (
    <section aria-label="Balance">
      <Facts
        rows={[
          ["Free to claim", <Credits key="free" atoms={data?.free} />],
          ["Locked in jobs and bonds", <Credits key="locked" atoms={data?.locked} />],
          ["In your wallet", <Credits key="wallet" atoms={data?.credit_balance} />],
        ]}
      />
      <Failure error={error} />
      <MoveCredits
        address={address}
        label="Claim"
        button="Claim to wallet"
        hint="A provider's agent takes its bonds from the free balance: leave it enough to go on."
        done="moved to your wallet."
        suggested={formatAmount(BigInt(data?.free ?? "0"), credit.decimals)}
        primary
        disabled={data === undefined || data.free === "0"}
        move={claim}
      />
      <MoveCredits
        address={address}
        label="Add to the balance"
        button="Add from wallet"
        hint="For bonds, or to pay jobs without a transfer each."
        done="added to your balance."
        suggested=""
        disabled={data === undefined}
        move={deposit}
      />
      <MoveCredits
        address={address}
        label={`Swap back for ${reserve.symbol}`}
        button="Redeem from wallet"
        hint={`Credits become ${reserve.name} again, one for one.`}
        done={`became ${reserve.symbol} again.`}
        suggested=""
        disabled={data === undefined}
        move={redeem}
      />
    </section>
  );
}
