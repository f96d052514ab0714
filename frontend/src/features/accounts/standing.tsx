import { useScores } from "@/shared/api/get-scores.ts";
import { formatBps } from "@/shared/money/share.ts";
import { Failure } from "@/shared/ui/failure.tsx";
import { TimeOf } from "@/shared/ui/time-of.tsx";
import { WideTable } from "@/shared/ui/wide-table.tsx";

const ROLES = ["provider", "buyer"] as const;

/** Both credit scores of an account, and what took from them. */
export function Standing({ address }: { readonly address: string }) {
  const { data, error, refetch } = useScores(address);
  return (
    <section aria-label="Credit score">
      <h2>Credit score</h2>
      <Failure error={error} onRetry={() => void refetch()} />
      {data && (
        <WideTable caption="Scores by role">
          <thead>
            <tr>
              <th scope="col">As</th>
              <th scope="col">Score</th>
              <th scope="col">Tier</th>
              <th scope="col">Fulfilment</th>
              <th scope="col">Quality</th>
              <th scope="col">Behaviour</th>
              <th scope="col">Last changed</th>
            </tr>
          </thead>
          <tbody>
            {ROLES.map((role) => (
              <tr key={role}>
                <th scope="row">{role}</th>
                <td className="number">{formatBps(data[role].score_bps)}</td>
                <td className="number">{data[role].tier}</td>
                <td className="number">{formatBps(data[role].fulfilment_bps)}</td>
                <td className="number">{formatBps(data[role].quality_bps)}</td>
                <td className="number">{formatBps(data[role].behaviour_bps)}</td>
                <td>{data[role].updated_at === null ? "never traded" : <TimeOf seconds={data[role].updated_at} />}</td>
              </tr>
            ))}
          </tbody>
        </WideTable>
      )}
    </section>
  );
}
