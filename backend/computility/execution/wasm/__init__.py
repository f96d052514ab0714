"""The WebAssembly executor. Light on purpose: the process of each job imports from here."""
