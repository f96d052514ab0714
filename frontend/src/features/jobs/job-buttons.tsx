import { useMutation, useQueryClient } from "@tanstack/react-query";
import { jobKey } from "@/shared/api/get-job.ts";
import type { JobRow } from "@/shared/api/schemas.ts";
import { useChainClock } from "@/shared/trade/chain-clock.ts";
import { readTerms } from "@/shared/trade/terms.ts";
import { Failure } from "@/shared/ui/failure.tsx";
import { useTrader } from "@/shared/wallet/use-trader.ts";
import { actOnJob } from "./act-on-job.ts";
import { actionsFor, type JobAction } from "./job-actions.ts";

const WORDS: Record<JobAction, readonly [title: string, consequence: string]> = {
  dispute: ["Dispute", "The arbiter decides; without one, only what was accepted is paid, and the rest comes back."],
  finalize: ["Settle now", "The window has passed, so the job ends as it stands."],
  reclaim: ["Reclaim the escrow", "The job is past its end: what was not accepted goes back to the payer."],
};

/** What the connected account can do to a job now. */
export function JobButtons({ job }: { readonly job: JobRow }) {
  const trader = useTrader();
  const now = useChainClock();
  const queryClient = useQueryClient();
  const act = useMutation({
    mutationFn: async (action: JobAction) => {
      if (job.terms !== null) await actOnJob(trader, action, readTerms(job.terms));
    },
    onSuccess: () => queryClient.invalidateQueries({ queryKey: jobKey(job.id) }),
  });
  if (trader.address === undefined) return null;
  const actions = actionsFor(job, trader.address, now);
  if (actions.length === 0) return <Failure error={act.error} />;
  return (
    <section aria-label="Actions">
      {actions.map((action) => (
        <p key={action}>
          <button type="button" disabled={act.isPending || !trader.ready} onClick={() => act.mutate(action)}>
            {act.isPending ? "See your wallet …" : WORDS[action][0]}
          </button>{" "}
          <span className="muted">{WORDS[action][1]}</span>
        </p>
      ))}
      <Failure error={act.error} />
    </section>
  );
}
