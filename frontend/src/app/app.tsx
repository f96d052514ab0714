import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { RouterProvider } from "react-router/dom";
import { ApiProblem } from "@/shared/api/problem.ts";
import { NodeGate } from "./node-gate.tsx";
import { router } from "./router.tsx";

const queryClient = new QueryClient({
  defaultOptions: {
    // A refusal stays a refusal; only what did not get through is worth another try.
    queries: { retry: (failures, error) => !(error instanceof ApiProblem) && failures < 2, staleTime: 1_000 },
  },
});

/** The whole page. */
export function App() {
  return (
    <QueryClientProvider client={queryClient}>
      <NodeGate>
        <RouterProvider router={router} />
      </NodeGate>
    </QueryClientProvider>
  );
}
