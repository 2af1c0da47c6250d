// Reading a list again and again, so that what others do moves it before the viewer's eyes.
import { useEffect } from "preact/hooks";
import { useSession } from "./session";

const everyMs = 3000;

/** While `on`, as long as the page can be seen. Where it fails, it says so and stops: `stop` is told. */
export function useLive(on: boolean, reread: () => Promise<unknown>, stop: () => void): void {
  const { report } = useSession();
  useEffect(() => {
    if (!on) return;
    let busy = false;
    const look = async () => {
      if (document.visibilityState !== "visible" || busy) return;
      busy = true;
      await reread().catch((error: unknown) => {
        report(error);
        stop();
      });
      busy = false;
    };
    const timer = setInterval(() => void look(), everyMs);
    return () => clearInterval(timer);
  }, [on, reread, stop, report]);
}
