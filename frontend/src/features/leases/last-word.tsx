import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { jobKey } from "@/shared/api/get-job.ts";
import type { JobRow } from "@/shared/api/schemas.ts";
import { formatSpan } from "@/shared/time.ts";
import { readTerms } from "@/shared/trade/terms.ts";
import { Failure } from "@/shared/ui/failure.tsx";
import { useTrader } from "@/shared/wallet/use-trader.ts";
import { bringLastWord } from "./bring-last-word.ts";
import type { CoSigned } from "./co-signed.ts";

// What a provider has for bringing it by itself, which pays it at once.
const GRACE_MS = 10_000;

/** The buyer said its last word: the provider brings it to the chain, or else the buyer does. */
export function LastWord({ job, signed }: { readonly job: JobRow; readonly signed: CoSigned }) {
  const trader = useTrader();
  const queryClient = useQueryClient();
  const [late, setLate] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => setLate(true), GRACE_MS);
    return () => clearTimeout(timer);
  }, []);
  const bring = useMutation({
    mutationFn: async () => {
      if (job.terms !== null) await bringLastWord(trader, readTerms(job.terms), signed);
    },
    onSuccess: () => queryClient.invalidateQueries({ queryKey: jobKey(job.id) }),
  });
  return (
    <section aria-label="Last word">
      <p className="notice">
        You signed for {formatSpan(signed.units)}, and no more. The provider brings that to the chain, and is paid.
      </p>
      {late && (
        <p>
          <button type="button" disabled={bring.isPending || !trader.ready} onClick={() => bring.mutate()}>
            {bring.isPending ? "See your wallet …" : "Bring it to the chain yourself"}
          </button>{" "}
          <span className="muted">The provider is then paid after the time to dispute, and the rest comes back.</span>
        </p>
      )}
      <Failure error={bring.error} />
    </section>
  );
}
