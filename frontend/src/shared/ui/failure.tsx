import { explain } from "@/shared/errors/explain.ts";

interface Props {
  readonly error: unknown;
  readonly onRetry?: () => void;
}

/** A failure as one sentence, read out as soon as it appears. */
export function Failure({ error, onRetry }: Props) {
  if (error === null || error === undefined) return null;
  return (
    <div className="notice bad" role="alert">
      <p>{explain(error)}</p>
      {onRetry && (
        <button type="button" onClick={onRetry}>
          Try again
        </button>
      )}
    </div>
  );
}
