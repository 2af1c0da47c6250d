// Notes which cards were seen, each once in the life of the page.
import type { EventsClient } from "@novafeed/events";

const thresholds = [0, 0.25, 0.5, 0.75, 1];

/** Half of the card, or, where it is taller than the window, half of the window filled by it. */
function isSeen(entry: IntersectionObserverEntry): boolean {
  return entry.intersectionRatio >= 0.5 || entry.intersectionRect.height >= window.innerHeight / 2;
}

export class Impressions {
  private readonly observer = new IntersectionObserver((entries) => this.note(entries), { threshold: thresholds });
  private readonly posts = new WeakMap<Element, string>();
  private readonly seen = new Set<string>();

  constructor(private readonly events: EventsClient) {}

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
      this.events.track("impression", postId);
    }
  }
}
