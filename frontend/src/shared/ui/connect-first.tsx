import type { ReactNode } from "react";
import { useTrader } from "@/shared/wallet/use-trader.ts";

interface Props {
  readonly to: string;
  readonly children: (address: `0x${string}`) => ReactNode;
}

/** What only makes sense for an account: asks for one as long as none is connected. */
export function ConnectFirst({ to, children }: Props) {
  const { address } = useTrader();
  if (address === undefined) return <p className="notice">Connect a wallet, at the top of the page, to {to}.</p>;
  return children(address);
}
