import { useAccountRow } from "@/shared/api/get-account.ts";
import { Credits } from "@/shared/ui/credits.tsx";
import { Facts } from "@/shared/ui/facts.tsx";
import { Failure } from "@/shared/ui/failure.tsx";

/** What the connected account has. */
export function WalletBalances({ address }: { readonly address: string }) {
  const { data, error } = useAccountRow(address);
  if (error) return <Failure error={error} />;
  return (
    <Facts
      rows={[
        ["In the wallet", <Credits key="wallet" atoms={data?.credit_balance} />],
        ["Free in the escrow", <Credits key="free" atoms={data?.free} />],
        ["Locked in jobs", <Credits key="locked" atoms={data?.locked} />],
      ]}
    />
  );
}
