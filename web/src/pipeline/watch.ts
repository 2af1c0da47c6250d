// Asks the server how its pipeline does, again and again, as long as somebody looks.
import { type Pipeline, Problem } from "../api";

const everyMs = 2000;
const keptSamples = 90;

/** Who may not know need not ask again. */
const isRefusal = (error: unknown): boolean =>
  error instanceof Problem && (error.status === 403 || error.status === 404);

export class PipelineWatch {
  /** Oldest first. */
  samples: readonly Pipeline[] = [];
  /** Why there was no answer last; null where there was one. */
  problem: unknown = null;
  private readonly onlookers = new Set<() => void>();
  private timer = 0;
  private asking = false;

  constructor(private readonly ask: () => Promise<Pipeline>) {}

  /** Calls `onChange` after each answer; returns a function that ends it. */
  watch(onChange: () => void): () => void {
    this.onlookers.add(onChange);
    if (this.onlookers.size === 1) {
      document.addEventListener("visibilitychange", this.look);
      this.look();
    }
    return () => {
      this.onlookers.delete(onChange);
      if (this.onlookers.size > 0) return;
      document.removeEventListener("visibilitychange", this.look);
      clearTimeout(this.timer);
    };
  }

  private readonly look = (): void => {
    if (!this.asking && document.visibilityState === "visible" && !isRefusal(this.problem)) void this.askOnce();
  };

  private async askOnce(): Promise<void> {
    clearTimeout(this.timer);
    this.asking = true;
    try {
      this.samples = [...this.samples, await this.ask()].slice(-keptSamples);
      this.problem = null;
    } catch (error) {
      this.problem = error;
    }
    this.asking = false;
    for (const onChange of this.onlookers) onChange();
    if (this.onlookers.size > 0) this.timer = window.setTimeout(this.look, everyMs);
  }
}
