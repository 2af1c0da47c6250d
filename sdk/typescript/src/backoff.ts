// How long to wait after a failure: exponential, with full jitter, so that many clients do not come back together.

export interface BackoffLimits {
  baseMs: number;
  maxMs: number;
}

/** Even a server that asks for more is asked again after this time. */
export const longestRetryAfterMs = 3_600_000;

export class Backoff {
  private failures = 0;

  constructor(
    private readonly limits: BackoffLimits,
    private readonly random: () => number,
  ) {}

  /** Another failure: the wait until the next try, at least `retryAfterMs`. */
  next(retryAfterMs = 0): number {
    const ceiling = Math.min(this.limits.maxMs, this.limits.baseMs * 2 ** this.failures++);
    return Math.min(retryAfterMs, longestRetryAfterMs) + this.random() * ceiling;
  }

  reset(): void {
    this.failures = 0;
  }
}

/** The header's seconds or date as milliseconds from `now`; null where there is none. */
export function parseRetryAfter(value: string | null, now: number): number | null {
  if (value === null) return null;
  const ms = /^\d+$/.test(value.trim()) ? Number(value) * 1000 : Date.parse(value) - now;
  return Number.isNaN(ms) ? null : Math.max(0, ms);
}
