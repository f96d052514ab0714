import { useHealth } from "@/shared/api/get-health.ts";
import { Failure } from "@/shared/ui/failure.tsx";

/** Says when the node is away, behind, or cut off from the chain. */
export function NodeBanner() {
  const { data, error, refetch } = useHealth();
  if (error) return <Failure error={error} onRetry={() => void refetch()} />;
  if (data === undefined || data.status === "ok") return null;
  const behind = `The node is ${data.lag_blocks ?? "some"} blocks behind the chain: what you see is a little old.`;
  return (
    <div className="notice warn" role="status">
      <p>{data.detail ?? behind}</p>
    </div>
  );
}
