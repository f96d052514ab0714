import { useQuery } from "@tanstack/react-query";
import { type ReactNode, useMemo } from "react";
import { WagmiProvider } from "wagmi";
import { getConfig } from "@/shared/api/get-config.ts";
import type { Config } from "@/shared/api/schemas.ts";
import { NodeConfigProvider } from "@/shared/node-config.ts";
import { Failure } from "@/shared/ui/failure.tsx";
import { Waiting } from "@/shared/ui/waiting.tsx";
import { wagmiConfigOf } from "@/shared/wallet/wagmi-config.ts";

const ASK_AGAIN_MS = 3_000;

/** Nothing can be shown before the node said which chain and contracts it works with. */
export function NodeGate({ children }: { readonly children: ReactNode }) {
  const config = useQuery({
    queryKey: ["config"],
    queryFn: ({ signal }) => getConfig(signal),
    staleTime: Number.POSITIVE_INFINITY,
    retry: false,
    refetchInterval: ({ state }) => (state.data === undefined ? ASK_AGAIN_MS : false),
  });
  if (config.data !== undefined) return <Wallets config={config.data}>{children}</Wallets>;
  return (
    <main className="gate">
      <h1>Computility</h1>
      {config.error ? <Failure error={config.error} /> : null}
      <Waiting>Asking the node what it works with …</Waiting>
    </main>
  );
}

function Wallets({ config, children }: { readonly config: Config; readonly children: ReactNode }) {
  const wagmi = useMemo(() => wagmiConfigOf(config, window.location), [config]);
  return (
    <NodeConfigProvider value={config}>
      <WagmiProvider config={wagmi}>{children}</WagmiProvider>
    </NodeConfigProvider>
  );
}
