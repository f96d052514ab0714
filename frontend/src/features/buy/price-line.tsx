import { explain } from "@/shared/errors/explain.ts";
import { formatWhole } from "@/shared/money/amount.ts";
import { Credits } from "@/shared/ui/credits.tsx";
import type { Order } from "./order.ts";

interface Props {
  /** Reads the draft, or throws what is missing. */
  readonly read: () => Order;
  /** In atoms. */
  readonly unitPrice: string;
}

/** What would be escrowed, worked out exactly, or what is missing before it can be. */
export function PriceLine({ read, unitPrice }: Props) {
  const order = orderOrSentence(read);
  return (
    <output className="price">
      {typeof order === "string" ? (
        order
      ) : (
        <>
          {formatWhole(order.maxUnits)} units × <Credits atoms={unitPrice} />
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

function orderOrSentence(read: () => Order): Order | string {
  try {
    return read();
  } catch (error) {
    return explain(error);
  }
}
