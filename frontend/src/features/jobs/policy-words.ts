/** How a result is checked, in words; what is not known is shown as it stands. */
export function policyWords(kind: string, policy: Readonly<Record<string, unknown>>): string {
  switch (policy.method) {
    case undefined:
      return kind === "wasm"
        ? "run again: outputs and fuel have to be equal, bit for bit"
        : "run again: equal bytes pass, and a difference harms nobody";
    case "hash-equality":
      if (policy.expected) return "its hashes are known beforehand";
      return Array.isArray(policy.files)
        ? `run again: ${policy.files.join(", ")} have to be the same bytes`
        : "run again: the program promises the same bytes";
    case "reexec-quorum":
      return typeof policy.audit_bps === "number"
        ? `a proven provider is believed, and run again in ${policy.audit_bps / 100} % of jobs`
        : "run again by the committee";
    case "freivalds":
      return `Freivalds: ${policy.product} is the product of ${policy.left} and ${policy.right}, of ${policy.precision ?? "exact integers"}`;
    case "segment-replay":
      return `${policy.sampled} of ${policy.segments} segments of the training are trained again`;
    case "lease-heartbeat":
      return `a metered lease: the buyer co-signs every ${policy.interval_s} s`;
    default:
      return JSON.stringify(policy);
  }
}
