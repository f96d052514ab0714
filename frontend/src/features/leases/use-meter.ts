import { useQuery } from "@tanstack/react-query";
import { useRef } from "react";
import { type MeterEntry, type Metered, readMeter } from "./meter.ts";

const EVERY_MS = 2_000;

/** The meter of a lease, as it is read; `live` while more may come. */
export function useMeter(lease: Metered | undefined, live: boolean) {
  const known = useRef<readonly MeterEntry[]>([]);
  return useQuery({
    queryKey: ["meter", lease?.job],
    queryFn: async ({ signal }) => {
      if (lease === undefined) return known.current;
      known.current = await readMeter(lease, known.current, signal);
      return known.current;
    },
    enabled: lease !== undefined,
    refetchInterval: live ? EVERY_MS : false,
    // Whoever looks at another tab still co-signs.
    refetchIntervalInBackground: true,
    structuralSharing: false,
  });
}
