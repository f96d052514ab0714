import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { useLocation } from "react-router";
import type { JobRow } from "@/shared/api/schemas.ts";
import { formatSpan } from "@/shared/time.ts";
import { Failure } from "@/shared/ui/failure.tsx";
import { useTrader } from "@/shared/wallet/use-trader.ts";
import { coSignatureOf, endOf } from "./attestation.ts";
import type { CoSigned } from "./co-signed.ts";
import { contestReading } from "./contest-reading.ts";
import { faultWords } from "./fault-words.ts";
import { believedEntry, type MeterEntry } from "./meter.ts";
import { publishAttestation } from "./publish-attestation.ts";
import { signResult } from "./sign-result.ts";

interface Props {
  readonly job: JobRow;
  readonly environment: string;
  readonly entries: readonly MeterEntry[];
  readonly signed: CoSigned;
  readonly contested: ReadonlyMap<string, string>;
}

/** The buyer's hand on a lease that runs: co-signs what it believes, contests what it does not, and ends it. */
export function CoSigning({ job, environment, entries, signed, contested }: Props) {
  const trader = useTrader();
  const queryClient = useQueryClient();
  const asked = useLocation().state as { readonly coSign?: boolean } | null;
  const [following, setFollowing] = useState(asked?.coSign === true);
  const believed = believedEntry(entries);
  const doubted = entries.find((entry) => entry.fault !== undefined);
  const refresh = () =>
    Promise.all(
      ["co-signed", "meter-contests"].map((key) => queryClient.invalidateQueries({ queryKey: [key, job.id] })),
    );
  const sign = useMutation({
    mutationFn: async (reading: MeterEntry) =>
      reading.isLast
        ? signResult(trader, job, environment, reading)
        : publishAttestation(trader, coSignatureOf(job.id, reading)),
    onSuccess: refresh,
    // Who declined once is not asked again and again.
    onError: () => setFollowing(false),
  });
  const end = useMutation({
    mutationFn: async () => publishAttestation(trader, endOf(job.id, believed, signed.attestation)),
    onSuccess: refresh,
  });
  const contest = useMutation({
    mutationFn: async (entry: MeterEntry) => contestReading(trader, job.id, entry.id, entry.fault ?? "not-believed"),
    onSuccess: refresh,
  });
  const unsigned =
    believed !== undefined && !signed.isFinal && (believed.isLast || believed.units > signed.units)
      ? believed
      : undefined;
  const busy = sign.isPending || end.isPending || contest.isPending || !trader.ready;
  const over = contested.size > 0;
  const { mutate } = sign;
  useEffect(() => {
    if (following && unsigned !== undefined && !busy && !over) mutate(unsigned);
  }, [following, unsigned, busy, over, mutate]);

  if (signed.isFinal) return null;
  if (over) {
    return (
      <p className="notice bad">You contested a reading: the provider stops, and is paid what you had signed for.</p>
    );
  }
  return (
    <section aria-label="Co-sign">
      <p>
        <label>
          <input type="checkbox" checked={following} onChange={(event) => setFollowing(event.target.checked)} /> Co-sign
          each reading that holds, as it comes
        </label>{" "}
        <span className="muted">Keep this page open. Your wallet may ask you each time.</span>
      </p>
      <div className="choices">
        {!following && unsigned !== undefined && (
          <button type="button" className="primary" disabled={busy} onClick={() => mutate(unsigned)}>
            {unsigned.isLast ? "Sign for what came out" : `Co-sign ${formatSpan(unsigned.units)}`}
          </button>
        )}
        <button type="button" disabled={busy} onClick={() => end.mutate()}>
          {end.isPending
            ? "See your wallet …"
            : `End the lease at ${formatSpan(Math.max(believed?.units ?? 0, signed.units))}`}
        </button>
      </div>
      {doubted?.fault !== undefined && (
        <div className="notice bad" role="alert">
          <p>
            Reading {doubted.sequence} is not believed: {faultWords(doubted.fault)}. Nothing after it is signed.
          </p>
          <button type="button" disabled={busy} onClick={() => contest.mutate(doubted)}>
            Contest it
          </button>
        </div>
      )}
      <Failure error={sign.error ?? end.error ?? contest.error} />
    </section>
  );
}
