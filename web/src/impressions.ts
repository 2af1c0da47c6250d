// Tells the server which cards were seen: in batches, each card once in the life of the page.
import { type Api, type FeedEvent, newId, Problem } from "./api";

const batchDelayMs = 1500;
const maxBatch = 200;
const thresholds = [0, 0.25, 0.5, 0.75, 1];

/** Half of the card, or, where it is taller than the window, half of the window filled by it. */
function isSeen(entry: IntersectionObserverEntry): boolean {
  return entry.intersectionRatio >= 0.5 || entry.intersectionRect.height >= window.innerHeight / 2;
}

export class Impressions {
  private readonly observer = new IntersectionObserver((entries) => this.note(entries), { threshold: thresholds });
  private readonly posts = new WeakMap<Element, string>();
  private readonly seen = new Set<string>();
  private queue: FeedEvent[] = [];
  private timer: number | undefined;
  private readonly onHide = () => {
    if (document.visibilityState === "hidden") void this.flush(true);
  };

  constructor(private readonly api: Api) {
    document.addEventListener("visibilitychange", this.onHide);
  }

  /** Sends what waits and stops watching. */
  close(): void {
    this.observer.disconnect();
    document.removeEventListener("visibilitychange", this.onHide);
    void this.flush(true);
  }

  /** Returns a function that stops watching this card. */
  watch(card: Element, postId: string): () => void {
    this.posts.set(card, postId);
    this.observer.observe(card);
    return () => this.observer.unobserve(card);
  }

  private note(entries: IntersectionObserverEntry[]): void {
    for (const entry of entries) {
      const postId = this.posts.get(entry.target);
      if (postId === undefined || !isSeen(entry) || this.seen.has(postId)) continue;
      this.seen.add(postId);
      this.observer.unobserve(entry.target);
      this.queue.push({ event_id: newId(), type: "impression", post_id: postId, at: this.api.now() });
    }
    if (this.queue.length > 0) this.timer ??= window.setTimeout(() => void this.flush(false), batchDelayMs);
  }

  private async flush(leaving: boolean): Promise<void> {
    window.clearTimeout(this.timer);
    this.timer = undefined;
    const batch = this.queue.splice(0, maxBatch);
    if (batch.length === 0) return;
    try {
      await this.api.sendEvents(batch, leaving);
    } catch (error) {
      // Sent again with the next batch; the ids stay, so what did arrive counts once.
      if (error instanceof Problem && error.passing) this.queue.unshift(...batch);
    }
  }
}
