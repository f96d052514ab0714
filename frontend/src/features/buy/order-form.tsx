import { useMutation } from "@tanstack/react-query";
import type { FormEvent, ReactNode } from "react";
import { useNavigate } from "react-router";
import type { AskMessage } from "@/shared/api/schemas.ts";
import { PageError } from "@/shared/errors/page-error.ts";
import { paths } from "@/shared/paths.ts";
import { Failure } from "@/shared/ui/failure.tsx";
import { useTrader } from "@/shared/wallet/use-trader.ts";
import type { PartyDraft } from "./draft.ts";
import type { Order } from "./order.ts";
import { PriceLine } from "./price-line.tsx";
import { requestQuote } from "./request-quote.ts";

interface Props {
  readonly askId: string;
  readonly ask: AskMessage;
  readonly draft: PartyDraft;
  /** Reads the whole draft. Throws `PageError` for the first field that does not fit. */
  readonly read: () => Order;
  /** The fields. */
  readonly children: ReactNode;
}

/** An order of any kind: its fields, what it costs at most, and the button. Ends in a signed quote request, which binds nobody. */
export function OrderForm({ askId, ask, draft, read, children }: Props) {
  const trader = useTrader();
  const navigate = useNavigate();
  const request = useMutation({
    mutationFn: async () => {
      if (trader.address === undefined) throw new PageError("Connect a wallet first, at the top of the page.");
      return requestQuote(trader, trader.address, askId, draft, read());
    },
    onSuccess: (requestId) => navigate(paths.quote(requestId)),
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    request.mutate();
  };
  return (
    <form onSubmit={submit} noValidate>
      {children}
      <PriceLine read={read} unitPrice={ask.unitPrice} />
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
