/** The method by which a metered lease is checked: its buyer co-signs the meter. */
export const LEASE_HEARTBEAT = "lease-heartbeat";

/** The most seconds of a lease that are ever unsigned, for either side; undefined for a job that is none. */
export function leaseIntervalOf(policy: Readonly<Record<string, unknown>>): number | undefined {
  const { method, interval_s: interval } = policy;
  return method === LEASE_HEARTBEAT && typeof interval === "number" ? interval : undefined;
}
