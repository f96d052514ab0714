import { useParams } from "react-router";
import { useAsk } from "@/shared/api/get-ask.ts";
import { useNodeConfig } from "@/shared/node-config.ts";
import { KIND_WORDS } from "@/shared/trade/kind-words.ts";
import { metricWords } from "@/shared/trade/metric-words.ts";
import { AccountName } from "@/shared/ui/account-name.tsx";
import { Credits } from "@/shared/ui/credits.tsx";
import { Facts } from "@/shared/ui/facts.tsx";
import { Failure } from "@/shared/ui/failure.tsx";
import { ResourceName } from "@/shared/ui/resource-name.tsx";
import { Waiting } from "@/shared/ui/waiting.tsx";
import { CommandOrder } from "./command-order.tsx";
import { kindOf } from "./job-kind.ts";
import { WasmOrder } from "./wasm-order.tsx";

/** What to run on the resource behind one ask. */
export function BuyPage() {
  const { askId = "" } = useParams();
  const ask = useAsk(askId);
  const config = useNodeConfig();
  // An order that is being filled in stays, even where the ask cannot be read again.
  if (ask.data === undefined) {
    if (ask.error) return <Failure error={ask.error} onRetry={() => void ask.refetch()} />;
    return <Waiting>Reading the ask …</Waiting>;
  }
  const { resource, ask: statement, status } = ask.data;
  const { message } = statement;
  const kind = kindOf(message.environment);
  return (
    <>
      <h1>Buy</h1>
      <Facts
        rows={[
          ["Resource", <ResourceName key="resource" resource={resource} />],
          ["Runs", kind === undefined ? message.environment : KIND_WORDS[kind]],
          ["Provider", <AccountName key="provider" address={message.provider} full />],
          [
            "Price",
            <span key="price">
              <Credits atoms={message.unitPrice} /> for a {metricWords(resource.metric)}, {message.minUnits} to{" "}
              {message.maxUnits} units
            </span>,
          ],
        ]}
      />
      {status !== "open" && <p className="notice bad">This ask is {status}: choose another on the market.</p>}
      {kind === undefined && (
        <p className="notice">
          This page knows no jobs of the environment <code>{message.environment}</code>: use the command line.
        </p>
      )}
      {kind === "wasm" && <WasmOrder key={askId} askId={askId} ask={message} config={config} />}
      {(kind === "process" || kind === "container") && (
        <CommandOrder
          key={askId}
          askId={askId}
          ask={message}
          config={config}
          kind={kind}
          billedByGpu={resource.metric === "gpu-s"}
        />
      )}
    </>
  );
}
