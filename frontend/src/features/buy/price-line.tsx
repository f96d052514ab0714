import type { AskMessage } from "@/shared/api/schemas.ts";
import { explain } from "@/shared/errors/explain.ts";
import { formatWhole } from "@/shared/money/amount.ts";
import { Credits } from "@/shared/ui/credits.tsx";
import type { Draft } from "./draft.ts";
import { type Order, readDraft } from "./read-draft.ts";

interface Props {
  readonly draft: Draft;
  readonly ask: AskMessage;
}

/** What would be escrowed, worked out exactly, or what is missing before it can be. */
export function PriceLine({ draft, ask }: Props) {
  const order = orderOrSentence(draft, ask);
  return (
    <output className="price">
      {typeof order === "string" ? (
        order
      ) : (
        <>
          {formatWhole(order.maxUnits)} units × <Credits atoms={ask.unitPrice} />
          {order.verifierFee + order.arbiterFee > 0n && (
            <>
              {" "}
              + fees of <Credits atoms={order.verifierFee + order.arbiterFee} />
            </>
          )}{" "}
          ={" "}
          <strong>
            <Credits atoms={order.price} />
          </strong>{" "}
          at most. What is not used comes back.
        </>
      )}
    </output>
  );
}

function orderOrSentence(draft: Draft, ask: AskMessage): Order | string {
  try {
    return readDraft(draft, ask);
  } catch (error) {
    return explain(error);
  }
}
