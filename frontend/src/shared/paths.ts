/** Every address inside the page. */
export const paths = {
  market: "/",
  buy: (askId: string) => `/buy/${askId}`,
  quote: (requestId: string) => `/quotes/${requestId}`,
  jobs: "/jobs",
  job: (jobId: string) => `/jobs/${jobId}`,
  account: (address: string) => `/accounts/${address}`,
  earnings: "/earnings",
  keys: "/keys",
  statistics: "/statistics",
  institutions: "/institutions",
  audit: "/audit",
  proof: (jobId: string) => `/audit?proof=${jobId}`,
} as const;
