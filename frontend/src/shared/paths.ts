/** Every address inside the page. */
export const paths = {
  market: "/",
  buy: (askId: string) => `/buy/${askId}`,
  quote: (requestId: string) => `/quotes/${requestId}`,
  jobs: "/jobs",
  job: (jobId: string) => `/jobs/${jobId}`,
  lease: (jobId: string) => `/leases/${jobId}`,
  account: (address: string) => `/accounts/${address}`,
  earnings: "/earnings",
  keys: "/keys",
  statistics: "/statistics",
  institutions: "/institutions",
  audit: "/audit",
  proof: (jobId: string) => `/audit?proof=${jobId}`,
} as const;

/** Tells the page of a lease that its buyer just opened it, and wants to co-sign from the first reading. */
export const CO_SIGN = { coSign: true } as const;
