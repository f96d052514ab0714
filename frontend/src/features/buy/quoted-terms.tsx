import { useQuery } from "@tanstack/react-query";
import type { Address } from "viem";
import type { AskMessage, QuoteStatement } from "@/shared/api/schemas.ts";
import type { QuoteRequest } from "@/shared/trade/quote-request.ts";
import { readTerms, signingDomain } from "@/shared/trade/terms.ts";
import { Failure } from "@/shared/ui/failure.tsx";
import { Waiting } from "@/shared/ui/waiting.tsx";
import { useTrader } from "@/shared/wallet/use-trader.ts";
import { AcceptTerms } from "./accept-terms.tsx";
import { ChangeOrder } from "./change-order.tsx";
import { checkSignature, checkTerms } from "./check-terms.ts";
import { TermsFacts } from "./terms-facts.tsx";

interface Props {
  readonly buyer: Address;
  readonly request: QuoteRequest;
  readonly requestId: string;
  readonly ask: AskMessage;
  readonly quote: QuoteStatement;
}

/** The terms that the provider signed: checked field by field, shown in full, and only then open to be accepted. */
export function QuotedTerms({ buyer, request, requestId, ask, quote }: Props) {
  const { config } = useTrader();
  const domain = signingDomain(config);
  const terms = readTerms(quote.message.terms);
  const highestFeeBps = Math.max(...config.fee_bps);
  const signature = useQuery({
    queryKey: ["terms-signature", quote.id, quote.signature],
    queryFn: async () => (await checkSignature(quote, terms, domain)) ?? null,
    staleTime: Number.POSITIVE_INFINITY,
  });
  if (signature.isPending) return <Waiting>Checking the provider's signature …</Waiting>;
  if (signature.error) return <Failure error={signature.error} />;
  const faults = checkTerms(terms, { domain, requestId, request, ask, highestFeeBps });
  if (signature.data !== null) faults.push(signature.data);
  return (
    <>
      <TermsFacts terms={terms} />
      {faults.length === 0 ? (
        <>
          <p className="notice good">
            These terms are what you asked for, in every field, and the provider signed them.
          </p>
          <AcceptTerms
            buyer={buyer}
            jobId={quote.id}
            terms={terms}
            providerSignature={quote.signature as `0x${string}`}
          />
        </>
      ) : (
        <div className="notice bad" role="alert">
          <p>These terms are not what you asked for, so they cannot be accepted here:</p>
          <ul>
            {faults.map((fault) => (
              <li key={fault}>{fault}</li>
            ))}
          </ul>
        </div>
      )}
      <ChangeOrder askId={request.ask} />
    </>
  );
}
