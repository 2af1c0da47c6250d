// What stands where there is nothing to show, not yet, or no more.
import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { Problem } from "../api";

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

export function Empty({ title, children }: { title: string; children?: ComponentChildren }) {
  return (
    <div class="empty">
      <p class="empty-title">{title}</p>
      {children && <p>{children}</p>}
    </div>
  );
}

export function Failed({ error, retry }: { error: unknown; retry: () => void }) {
  const title = error instanceof Problem && error.status === 0 ? "No answer" : "That did not work";
  return (
    <div class="empty" role="alert">
      <p class="empty-title">{title}</p>
      <p>{messageOf(error)}</p>
      <button type="button" onClick={retry}>
        Try again
      </button>
    </div>
  );
}

/** Grey cards in the place of those that are being read. */
export function Skeletons({ number = 3, what }: { number?: number; what: string }) {
  return (
    <div role="status">
      <span class="hidden">Reading {what}…</span>
      {Array.from({ length: number }, (_, place) => (
        <div key={place} class="card skeleton" aria-hidden="true">
          <span class="skeleton-head" />
          <span class="skeleton-line" />
          <span class="skeleton-line skeleton-short" />
        </div>
      ))}
    </div>
  );
}

interface EndlessProps {
  /** How many elements are there now. */
  length: number;
  more: (() => void) | null;
  loading: boolean;
  problem: unknown;
}

// So far below the window the next page is read, before anybody sees the end.
const ahead = "1200px";

/** The foot of a list: it reads on when it comes near the window, and says when that was all. */
export function ListFoot({ length, more, loading, problem }: EndlessProps) {
  const foot = useRef<HTMLDivElement>(null);
  const wanted = more !== null && !loading && problem === null;
  useEffect(() => {
    if (!wanted) return;
    const observer = new IntersectionObserver((entries) => entries.some((entry) => entry.isIntersecting) && more!(), {
      rootMargin: `${ahead} 0px`,
    });
    observer.observe(foot.current!);
    return () => observer.disconnect();
  }, [wanted, more, length]);

  return (
    <div class="foot" ref={foot}>
      {problem !== null && more ? (
        <Failed error={problem} retry={more} />
      ) : (
        <p role="status">{more ? "Reading on…" : length > 0 && "That is all."}</p>
      )}
    </div>
  );
}
