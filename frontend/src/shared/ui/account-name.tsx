import { Link } from "react-router";
import { zeroAddress } from "viem";
import type { Config } from "@/shared/api/schemas.ts";
import { useNodeConfig } from "@/shared/node-config.ts";
import { paths } from "@/shared/paths.ts";

interface Props {
  readonly address: string;
  /** Shows every digit, for what is about to be signed. */
  readonly full?: boolean;
}

/** An account, with the name under which this node knows it; leads to its page. */
export function AccountName({ address, full = false }: Props) {
  const label = labelOf(useNodeConfig(), address);
  if (address === zeroAddress) return <span className="muted">nobody</span>;
  return (
    <Link className="account" to={paths.account(address)} title={address}>
      {label && <span>{label} </span>}
      <code className={full ? "long" : "short"}>{full ? address : shortHex(address)}</code>
    </Link>
  );
}

/** `0x7099…79C8`. */
export function shortHex(hex: string): string {
  return hex.length > 12 ? `${hex.slice(0, 6)}…${hex.slice(-4)}` : hex;
}

/** The name of an account that the node's configuration tells, if any. */
export function labelOf(config: Config, address: string): string | undefined {
  const wanted = address.toLowerCase();
  const { committee } = config;
  if (committee && committee.address.toLowerCase() === wanted) {
    return `verifier committee (${committee.threshold} of ${committee.members.length})`;
  }
  return config.development_wallet.addresses.find((account) => account.address.toLowerCase() === wanted)?.label;
}
