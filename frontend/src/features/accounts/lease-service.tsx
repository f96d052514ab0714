import { useLeaseService } from "@/shared/api/get-lease-service.ts";
import { formatBps } from "@/shared/money/share.ts";
import { Failure } from "@/shared/ui/failure.tsx";
import { WideTable } from "@/shared/ui/wide-table.tsx";

/** Uptime and start latency of a provider's newest leases; nothing for an account that never leased anything out. */
export function LeaseService({ address }: { readonly address: string }) {
  const { data, error, refetch } = useLeaseService(address);
  if (!error && !data?.leases) return null;
  return (
    <section aria-label="Leases">
      <h2>Leases</h2>
      <Failure error={error} onRetry={() => void refetch()} />
      {data && (
        <WideTable caption="How the newest leases were served, by their meters">
          <thead>
            <tr>
              <th scope="col">Leases</th>
              <th scope="col">Uptime</th>
              <th scope="col">Start, median</th>
              <th scope="col">Start, longest</th>
              <th scope="col">Never begun</th>
              <th scope="col">Contested</th>
            </tr>
          </thead>
          <tbody>
            <tr>
              <td className="number">{data.leases}</td>
              <td className="number">{data.uptime_bps === null ? "–" : formatBps(data.uptime_bps)}</td>
              <td className="number">{seconds(data.start_latency_ms)}</td>
              <td className="number">{seconds(data.longest_start_latency_ms)}</td>
              <td className="number">{data.never_began}</td>
              <td className="number">{data.contested}</td>
            </tr>
          </tbody>
        </WideTable>
      )}
    </section>
  );
}

function seconds(milliseconds: number | null): string {
  return milliseconds === null ? "–" : `${(milliseconds / 1000).toFixed(1)} s`;
}
