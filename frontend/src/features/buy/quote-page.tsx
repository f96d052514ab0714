import { useParams } from "react-router";
import { isAddressEqual } from "viem";
import { useAsk } from "@/shared/api/get-ask.ts";
import { useQuoteRequest } from "@/shared/api/get-quote-request.ts";
import type { AskMessage, QuoteRequestRow } from "@/shared/api/schemas.ts";
import { readQuoteRequest } from "@/shared/trade/quote-request.ts";
import { AccountName } from "@/shared/ui/account-name.tsx";
import { ConnectFirst } from "@/shared/ui/connect-first.tsx";
import { Failure } from "@/shared/ui/failure.tsx";
import { TimeOf } from "@/shared/ui/time-of.tsx";
import { Waiting } from "@/shared/ui/waiting.tsx";
import { ChangeOrder } from "./change-order.tsx";
import { QuotedTerms } from "./quoted-terms.tsx";

/** The provider's answer to a request, as it comes. The address alone brings one back here, after a reload too. */
export function QuotePage() {
  const { requestId = "" } = useParams();
  const row = useQuoteRequest(requestId);
  const ask = useAsk(row.data?.request.message.ask);
  const error = row.error ?? ask.error;
  return (
    <>
      <h1>Quote</h1>
      <Failure error={error} onRetry={() => void (row.error ? row.refetch() : ask.refetch())} />
      {row.data && ask.data ? (
        <Answer row={row.data} ask={ask.data.ask.message} requestId={requestId} />
      ) : (
        !error && <Waiting>Reading the request …</Waiting>
      )}
    </>
  );
}

interface AnswerProps {
  readonly row: QuoteRequestRow;
  readonly ask: AskMessage;
  readonly requestId: string;
}

function Answer({ row, ask, requestId }: AnswerProps) {
  const request = readQuoteRequest(row.request.message);
  switch (row.status) {
    case "pending":
      return (
        <>
          <Waiting>
            Waiting for <AccountName address={ask.provider} /> to answer, until <TimeOf seconds={request.validUntil} />{" "}
            at the latest …
          </Waiting>
          <ChangeOrder askId={request.ask} />
        </>
      );
    case "refused":
      return (
        <>
          <div className="notice bad" role="alert">
            <p>
              The provider declines ({row.refusal?.message.reason}): {row.refusal?.message.detail}
            </p>
          </div>
          <ChangeOrder askId={request.ask} />
        </>
      );
    case "expired":
      return (
        <>
          <p className="notice bad" role="alert">
            The provider did not answer in time. Ask again, or choose another ask.
          </p>
          <ChangeOrder askId={request.ask} />
        </>
      );
    case "quoted":
      if (row.quote === null) return <Waiting>Reading the quote …</Waiting>;
      return (
        <ConnectFirst to="accept the quote">
          {(address) =>
            isAddressEqual(address, request.buyer) ? (
              <QuotedTerms
                buyer={address}
                request={request}
                requestId={requestId}
                ask={ask}
                quote={row.quote as NonNullable<typeof row.quote>}
              />
            ) : (
              <p className="notice">
                This quote is for <AccountName address={request.buyer} full />: connect that account to accept it.
              </p>
            )
          }
        </ConnectFirst>
      );
  }
}
