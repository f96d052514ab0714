import { Link } from "react-router";
import { paths } from "@/shared/paths.ts";

/** The way back to the order, which is as it was left. */
export function ChangeOrder({ askId }: { readonly askId: string }) {
  return (
    <p>
      <Link to={paths.buy(askId)}>Change the order and ask again</Link> ·{" "}
      <Link to={paths.market}>Choose another ask</Link>
    </p>
  );
}
