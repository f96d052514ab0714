import { useParams } from "react-router";
import { type Address, getAddress, isAddress } from "viem";
import { useAccountRow } from "@/shared/api/get-account.ts";
import { useProvider } from "@/shared/api/get-provider.ts";
import { useNodeConfig } from "@/shared/node-config.ts";
import { labelOf } from "@/shared/ui/account-name.tsx";
import { Credits } from "@/shared/ui/credits.tsx";
import { Facts } from "@/shared/ui/facts.tsx";
import { Failure } from "@/shared/ui/failure.tsx";
import { StakeFacts } from "@/shared/ui/stake-facts.tsx";
import { AccountEvents } from "./account-events.tsx";
import { AccountJobs } from "./account-jobs.tsx";
import { LeaseService } from "./lease-service.tsx";
import { Standing } from "./standing.tsx";

/** Everything that the ledger says of one account, whoever looks. */
export function AccountPage() {
  const { address = "" } = useParams();
  if (!isAddress(address, { strict: false })) {
    return (
      <>
        <h1>No such account</h1>
        <p role="alert">An account is 0x and 40 hex digits: copy it from a job or an event.</p>
      </>
    );
  }
  return <Account key={address} address={getAddress(address.toLowerCase())} />;
}

function Account({ address }: { readonly address: Address }) {
  const label = labelOf(useNodeConfig(), address);
  const account = useAccountRow(address);
  const provider = useProvider(address);
  return (
    <>
      <h1>{label ?? "Account"}</h1>
      <p>
        <code className="long">{address}</code>
      </p>
      <section aria-label="Balance">
        <h2>Balance</h2>
        <Failure error={account.error} onRetry={() => void account.refetch()} />
        <Facts
          rows={[
            ["Free in the escrow", <Credits key="free" atoms={account.data?.free} />],
            ["Locked in jobs and bonds", <Credits key="locked" atoms={account.data?.locked} />],
            ["In the wallet", <Credits key="wallet" atoms={account.data?.credit_balance} />],
            ["Settled", account.data?.confirmation ?? "—"],
          ]}
        />
      </section>
      <Failure error={provider.error} onRetry={() => void provider.refetch()} />
      {provider.data && (
        <section aria-label="Provider">
          <h2>Stake as a provider</h2>
          <StakeFacts provider={provider.data} />
        </section>
      )}
      <Standing address={address} />
      <LeaseService address={address} />
      <AccountJobs as="provider" address={address} title="Sold" />
      <AccountJobs as="buyer" address={address} title="Bought" />
      <AccountEvents address={address} />
    </>
  );
}
