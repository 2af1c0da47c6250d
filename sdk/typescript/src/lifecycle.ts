// What a page tells about itself: that it is about to go, and that the network is back.

export interface Lifecycle {
  /** Both return a function that stops listening. */
  onHide(listener: () => void): () => void;
  onOnline(listener: () => void): () => void;
}

function listen(target: EventTarget, type: string, listener: () => void): () => void {
  target.addEventListener(type, listener);
  return () => target.removeEventListener(type, listener);
}

/** The page's own; null outside of a browser. */
export function pageLifecycle(): Lifecycle | null {
  if (typeof document === "undefined") return null;
  return {
    onHide(listener) {
      const ifHidden = () => document.visibilityState === "hidden" && listener();
      const stops = [listen(document, "visibilitychange", ifHidden), listen(window, "pagehide", listener)];
      return () => stops.forEach((stop) => stop());
    },
    onOnline: (listener) => listen(window, "online", listener),
  };
}
