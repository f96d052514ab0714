import { createContext, useContext } from "react";
import type { Config } from "@/shared/api/schemas.ts";

const NodeConfigContext = createContext<Config | undefined>(undefined);

export const NodeConfigProvider = NodeConfigContext.Provider;

/** What the node said of itself when the page was loaded. */
export function useNodeConfig(): Config {
  const config = useContext(NodeConfigContext);
  if (config === undefined) throw new Error("useNodeConfig needs a NodeConfigProvider above it");
  return config;
}
