import { formatAmount } from "@/shared/money/amount.ts";
import { useNodeConfig } from "@/shared/node-config.ts";

interface Props {
  readonly atoms: bigint | string | null | undefined;
}

/** An amount of credits, exact. */
export function Credits({ atoms }: Props) {
  const { credit } = useNodeConfig();
  if (atoms === null || atoms === undefined) return <span className="muted">—</span>;
  return (
    <span className="number">
      {formatAmount(BigInt(atoms), credit.decimals)} {credit.symbol}
    </span>
  );
}
