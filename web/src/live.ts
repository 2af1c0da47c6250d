// Reading a list again and again, so that what others do moves it before the viewer's eyes.
import { useEffect, useState } from "preact/hooks";
import { useSession } from "./session";

const everyMs = 3000;
const longestMs = 30_000;

/**
 * While `on`, as long as the page can be seen. Where it fails it goes on, each time after a longer pause, until the
 * list can be read again. Why it could not be read last; null where it could.
 */
export function useLive(on: boolean, reread: () => Promise<unknown>): unknown {
  const { tell } = useSession();
  const [problem, setProblem] = useState<unknown>(null);
  useEffect(() => {
    if (!on) return;
    let ended = false;
    let failures = 0;
    let timer = 0;
    const read = async () => {
      try {
        await reread();
        if (failures > 0 && !ended) tell({ text: "Live again." });
        failures = 0;
        if (!ended) setProblem(null);
      } catch (error) {
        ++failures;
        if (!ended) setProblem(error);
      }
    };
    const look = async () => {
      if (document.visibilityState === "visible") await read();
      if (!ended) wait();
    };
    const wait = () => {
      timer = window.setTimeout(() => void look(), Math.min(everyMs * 2 ** failures, longestMs));
    };
    wait();
    return () => {
      ended = true;
      clearTimeout(timer);
      setProblem(null);
    };
  }, [on, reread, tell]);
  return problem;
}
