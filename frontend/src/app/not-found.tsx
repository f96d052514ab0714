import { Link } from "react-router";
import { paths } from "@/shared/paths.ts";

export function NotFound() {
  return (
    <>
      <h1>There is no such page</h1>
      <p>
        The address may be mistyped. Start at the <Link to={paths.market}>market</Link>.
      </p>
    </>
  );
}
