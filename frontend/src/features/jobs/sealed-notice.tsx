import type { UseQueryResult } from "@tanstack/react-query";
import { Link } from "react-router";
import { paths } from "@/shared/paths.ts";
import { Failure } from "@/shared/ui/failure.tsx";
import type { OutputOpener } from "./output-opener.ts";

/** Says of sealed outputs who can read them, and what to do where this browser cannot. */
export function SealedNotice({ opener }: { readonly opener: UseQueryResult<OutputOpener> }) {
  if (opener.error) return <Failure error={opener.error} onRetry={() => void opener.refetch()} />;
  if (!opener.data?.sealed) return null;
  if (opener.data.open !== undefined) {
    return (
      <p className="muted">The files are sealed. They are opened in this browser, with a reader key that it holds.</p>
    );
  }
  return (
    <p className="notice">
      These files are sealed to readers, and this browser holds none of their keys. If you are one of them,{" "}
      <Link to={paths.keys}>import the copy of your key</Link>, or use the browser in which you ordered.
    </p>
  );
}
