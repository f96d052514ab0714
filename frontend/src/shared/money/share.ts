const FULL_BPS = 10_000n;

/** `bps` of `amount`, rounded up, as the escrow rounds the bond that it demands. */
export function shareUp(amount: bigint, bps: number): bigint {
  return (amount * BigInt(bps) + FULL_BPS - 1n) / FULL_BPS;
}

/** `bps` of `amount`, rounded down, as the escrow rounds fees and slashes. */
export function shareDown(amount: bigint, bps: number): bigint {
  return (amount * BigInt(bps)) / FULL_BPS;
}

/** Basis points as a percentage. */
export function formatBps(bps: number): string {
  const hundredths = bps.toString().padStart(3, "0");
  const places = hundredths.slice(-2).replace(/0+$/, "");
  return `${hundredths.slice(0, -2)}${places ? `.${places}` : ""} %`;
}
