import { createBrowserRouter } from "react-router";
import { Layout } from "./layout.tsx";
import { NotFound } from "./not-found.tsx";
import { RouteFailure } from "./route-failure.tsx";

/** One bundle a page. */
export const router = createBrowserRouter([
  {
    Component: Layout,
    ErrorBoundary: RouteFailure,
    HydrateFallback: () => null,
    children: [
      {
        ErrorBoundary: RouteFailure,
        children: [
          {
            index: true,
            lazy: async () => ({ Component: (await import("@/features/market/market-page.tsx")).MarketPage }),
          },
          {
            path: "buy/:askId",
            lazy: async () => ({ Component: (await import("@/features/buy/buy-page.tsx")).BuyPage }),
          },
          {
            path: "quotes/:requestId",
            lazy: async () => ({ Component: (await import("@/features/buy/quote-page.tsx")).QuotePage }),
          },
          { path: "jobs", lazy: async () => ({ Component: (await import("@/features/jobs/jobs-page.tsx")).JobsPage }) },
          {
            path: "jobs/:jobId",
            lazy: async () => ({ Component: (await import("@/features/jobs/job-page.tsx")).JobPage }),
          },
          {
            path: "earnings",
            lazy: async () => ({ Component: (await import("@/features/earnings/earnings-page.tsx")).EarningsPage }),
          },
          {
            path: "leases/:jobId",
            lazy: async () => ({ Component: (await import("@/features/leases/lease-page.tsx")).LeasePage }),
          },
          { path: "keys", lazy: async () => ({ Component: (await import("@/features/keys/keys-page.tsx")).KeysPage }) },
          {
            path: "accounts/:address",
            lazy: async () => ({ Component: (await import("@/features/accounts/account-page.tsx")).AccountPage }),
          },
          {
            path: "statistics",
            lazy: async () => ({
              Component: (await import("@/features/statistics/statistics-page.tsx")).StatisticsPage,
            }),
          },
          {
            path: "institutions",
            lazy: async () => ({
              Component: (await import("@/features/institutions/institutions-page.tsx")).InstitutionsPage,
            }),
          },
          {
            path: "audit",
            lazy: async () => ({ Component: (await import("@/features/audit/audit-page.tsx")).AuditPage }),
          },
          { path: "*", Component: NotFound },
        ],
      },
    ],
  },
]);
