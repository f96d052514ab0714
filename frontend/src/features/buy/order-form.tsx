import { useMutation } from "@tanstack/react-query";
import type { FormEvent } from "react";
import { useNavigate } from "react-router";
import type { AskMessage, Config } from "@/shared/api/schemas.ts";
import { PageError } from "@/shared/errors/page-error.ts";
import { paths } from "@/shared/paths.ts";
import { Failure } from "@/shared/ui/failure.tsx";
import { useTrader } from "@/shared/wallet/use-trader.ts";
import { useDraft } from "./kept-draft.ts";
import { LimitFields } from "./limit-fields.tsx";
import { PartyFields } from "./party-fields.tsx";
import { PriceLine } from "./price-line.tsx";
import { ProgramFields } from "./program-fields.tsx";
import { readDraft } from "./read-draft.ts";
import { requestQuote } from "./request-quote.ts";

interface Props {
  readonly askId: string;
  readonly ask: AskMessage;
  readonly config: Config;
}

/** The order: what runs, how much of it at most, and who checks. Ends in a signed quote request, which binds nobody. */
export function OrderForm({ askId, ask, config }: Props) {
  const [draft, setDraft] = useDraft(askId, ask, config);
  const trader = useTrader();
  const navigate = useNavigate();
  const request = useMutation({
    mutationFn: async () => {
      if (trader.address === undefined) throw new PageError("Connect a wallet first, at the top of the page.");
      return requestQuote(trader, trader.address, askId, draft, readDraft(draft, ask));
    },
    onSuccess: (requestId) => navigate(paths.quote(requestId)),
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    request.mutate();
  };
  return (
    <form onSubmit={submit} noValidate>
      <ProgramFields draft={draft} onChange={setDraft} config={config} />
      <LimitFields draft={draft} onChange={setDraft} ask={ask} />
      <PartyFields draft={draft} onChange={setDraft} ask={ask} config={config} />
      <PriceLine draft={draft} ask={ask} />
      <Failure error={request.error} />
      <p>
        <button type="submit" className="primary" disabled={request.isPending || !trader.ready}>
          {request.isPending ? "Sign in your wallet …" : "Ask for a quote"}
        </button>{" "}
        <span className="muted">
          {trader.ready ? "You sign a request. It costs nothing and binds nobody." : "Connect a wallet to go on."}
        </span>
      </p>
    </form>
  );
}
