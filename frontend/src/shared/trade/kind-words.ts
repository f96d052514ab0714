/** What a kind of job is. */
export const KIND_WORDS: Readonly<Record<string, string>> = {
  wasm: "WebAssembly programs",
  process: "commands, in the provider's sandbox",
  container: "commands, in OCI images",
};
