import { useEffect, useState } from "react";
import { useHealth } from "@/shared/api/get-health.ts";

/** About what the next block's time will be, in UTC seconds, every second: the newest block's, or this machine's where that is later. */
export function useChainClock(): number {
  const { data } = useHealth();
  const [wall, setWall] = useState(wallSeconds);
  useEffect(() => {
    const timer = setInterval(() => setWall(wallSeconds()), 1_000);
    return () => clearInterval(timer);
  }, []);
  return Math.max(wall, data?.head?.timestamp ?? 0);
}

function wallSeconds(): number {
  return Math.floor(Date.now() / 1000);
}
