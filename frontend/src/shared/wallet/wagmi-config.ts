import { createConfig, http, injected, unstable_connector } from "wagmi";
import type { Config } from "@/shared/api/schemas.ts";
import { chainOf, isDevelopmentChain, rpcUrlOf } from "@/shared/chain/chain.ts";
import { developmentAccounts, developmentConnector } from "./development-connector.ts";

/** Wallets that announce themselves (EIP-6963), one that only sits in the window, and on a development chain the page's own. */
export function wagmiConfigOf(config: Config, location: Location) {
  const chain = chainOf(config, location.origin);
  const url = rpcUrlOf(config, location.origin);
  return createConfig({
    chains: [chain],
    connectors: [injected(), ...developmentAccounts(config, location.hostname).map(developmentConnector)],
    transports: { [chain.id]: url === undefined ? unstable_connector(injected) : http(url, { retryCount: 1 }) },
    multiInjectedProviderDiscovery: true,
    pollingInterval: isDevelopmentChain(config) ? 500 : 4_000,
  });
}
