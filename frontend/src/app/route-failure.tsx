import { useRouteError } from "react-router";
import { Failure } from "@/shared/ui/failure.tsx";

/** Shown in place of a page that failed, or whose file did not arrive. */
export function RouteFailure() {
  const error = useRouteError();
  return (
    <>
      <h1>This page failed</h1>
      <Failure error={error} onRetry={() => window.location.reload()} />
    </>
  );
}
