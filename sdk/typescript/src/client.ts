// The client: takes events, and sees to it that each reaches the server once or is told to be dropped.
import { Backoff } from "./backoff.js";
import { type Clock, systemClock } from "./clock.js";
import { type EventType, type FeedEvent, newId, type Problem } from "./events.js";
import { type Lifecycle, pageLifecycle } from "./lifecycle.js";
import { type Entry, Queue } from "./queue.js";
import { type EventStorage, MemoryStorage } from "./storage.js";
import { type Outcome, type TokenProvider, Transport } from "./transport.js";

/** What the server has taken. */
export interface Sent {
  readonly events: readonly FeedEvent[];
  readonly accepted: number;
  /** Taken before: an earlier answer was lost, or another tab was first. */
  readonly duplicates: number;
  /** For `min_position` of reads that must show these events. */
  readonly position: string | null;
}

export interface FlushResult {
  /** Events that still wait. */
  readonly pending: number;
  /** Why they wait; null where nothing went wrong. */
  readonly problem: Problem | null;
}

export interface TrackOptions {
  /** When it happened, in milliseconds since 1970; by default now. */
  at?: number;
  /** Who did it, where the token speaks for a platform. */
  userId?: string;
  /** An id of your own (a UUID or `ext:<string>`), by default a random one. */
  eventId?: string;
}

export interface EventsOptions {
  /** Where the server is, without a path; empty: where the page comes from. */
  url: string;
  token: TokenProvider;
  /** Whom a service token speaks for (the header Novafeed-User). */
  user?: string;
  /** Where waiting events are kept; by default in memory. */
  storage?: EventStorage;
  /** Tells queues in one storage apart; by default `user`. Queues of different users must have different names. */
  queue?: string;
  maxQueueEvents?: number;
  maxQueueBytes?: number;
  maxBatchEvents?: number;
  maxBatchBytes?: number;
  flushIntervalMs?: number;
  requestTimeoutMs?: number;
  backoffBaseMs?: number;
  backoffMaxMs?: number;
  /** An event that will not be sent again: the server refused it, or there was no room (`queue_full`). */
  onDropped?: (event: FeedEvent, why: Problem) => void;
  onSent?: (sent: Sent) => void;
  /** Something failed; it is tried again by itself. */
  onProblem?: (problem: Problem) => void;
  clock?: Clock;
  random?: () => number;
  fetch?: typeof fetch;
  /** When to hurry; by default the page's own events, null for none. */
  lifecycle?: Lifecycle | null;
}

/** What browsers let all requests that outlive a page hold together is 64 KiB. */
const keepaliveBytes = 60_000;

const queueFull: Problem = { status: 0, code: "queue_full", detail: "There was no room: the oldest event had to go." };

type Waiting = "interval" | "backoff" | "retry_after";

export class EventsClient {
  private readonly options: EventsOptions;
  private readonly clock: Clock;
  private readonly queue: Queue;
  private readonly backoff: Backoff;
  private readonly transport: Transport;
  private readonly maxBatchBytes: number;
  private readonly detach: (() => void)[] = [];
  /** The most events that a batch may hold. */
  private maxBatchEvents: number;
  /** The same for the next batch: smaller while a refused event is looked for. */
  private batchEvents: number;
  private problem: Problem | null = null;
  private waiting: Waiting | null = null;
  private cancelTimer = () => {};
  private running: Promise<void> | null = null;
  /** Entries up to this number are to be sent without more waiting. */
  private until = 0;
  /** Held by requests that outlive the page. */
  private leavingBytes = 0;
  private onEmpty = () => {};
  private closing = false;
  private stopped = false;

  constructor(options: EventsOptions) {
    this.options = options;
    this.clock = options.clock ?? systemClock;
    this.maxBatchEvents = this.batchEvents = options.maxBatchEvents ?? 200;
    this.maxBatchBytes = options.maxBatchBytes ?? 256 * 1024;
    this.backoff = new Backoff(
      { baseMs: options.backoffBaseMs ?? 500, maxMs: options.backoffMaxMs ?? 60_000 },
      options.random ?? Math.random,
    );
    this.transport = new Transport({
      url: options.url.replace(/\/+$/, ""),
      token: options.token,
      user: options.user ?? null,
      fetch: options.fetch ?? ((input, init) => fetch(input, init)),
      timeoutMs: options.requestTimeoutMs ?? 30_000,
      clock: this.clock,
    });
    this.queue = new Queue(
      options.storage ?? new MemoryStorage(),
      options.queue ?? options.user ?? "",
      { maxEvents: options.maxQueueEvents ?? 10_000, maxBytes: options.maxQueueBytes ?? 2 * 1024 * 1024 },
      (error) => this.tell(options.onProblem, { status: 0, code: "not_stored", detail: String(error) }),
    );
    this.queue.load().forEach((event) => this.drop(event, queueFull));
    this.listen(options.lifecycle === undefined ? pageLifecycle() : options.lifecycle);
    this.schedule();
  }

  /** Events that wait. */
  get pending(): number {
    return this.queue.size;
  }

  /** Takes an event; its id and time are fixed now. It is sent with others, within the flush interval. */
  track(type: EventType, postId: string, { at, userId, eventId }: TrackOptions = {}): FeedEvent {
    if (this.closing) throw new Error("this client is closed");
    const now = this.clock.now();
    const event: FeedEvent = {
      event_id: eventId ?? newId(),
      type,
      post_id: postId,
      at: at ?? now,
      ...(userId === undefined ? {} : { user_id: userId }),
    };
    this.queue.add(event, now).forEach((gone) => this.drop(gone, queueFull));
    this.schedule();
    return event;
  }

  /**
   * Tries at once to send all that waits, also during a back-off, but not while the server has asked to be left alone.
   * Returns after the first failure.
   */
  async flush(): Promise<FlushResult> {
    if (this.waiting !== "retry_after") await this.run();
    return { pending: this.pending, problem: this.problem };
  }

  /** Takes no more events, and sends until none waits or the time is over. What is left stays in the storage. */
  async close(deadlineMs = 5000): Promise<FlushResult> {
    this.closing = true;
    let cancelDeadline = () => {};
    const late = new Promise<void>((resolve) => (cancelDeadline = this.clock.later(deadlineMs, resolve)));
    const empty = new Promise<void>((resolve) => (this.onEmpty = resolve));
    if (this.pending > 0) {
      void this.flush();
      await Promise.race([empty, late]);
    }
    cancelDeadline();
    this.stop();
    return { pending: this.pending, problem: this.problem };
  }

  // --- When to send ---

  private listen(lifecycle: Lifecycle | null): void {
    if (!lifecycle) return;
    this.detach.push(lifecycle.onHide(() => this.leave()));
    this.detach.push(lifecycle.onOnline(() => void this.flush()));
  }

  private schedule(): void {
    if (this.running || this.stopped || this.pending === 0) return;
    if (this.waiting === "backoff" || this.waiting === "retry_after") return;
    if (this.pending >= this.maxBatchEvents || this.queue.bytes >= this.maxBatchBytes) void this.run();
    else if (!this.waiting) this.wait("interval", this.options.flushIntervalMs ?? 2000);
  }

  private wait(what: Waiting, ms: number): void {
    this.cancelTimer();
    this.waiting = what;
    this.cancelTimer = this.clock.later(ms, () => {
      this.waiting = null;
      void this.run();
    });
  }

  private stop(): void {
    this.stopped = true;
    this.cancelTimer();
    this.detach.splice(0).forEach((detach) => detach());
    this.transport.close();
  }

  // --- Sending ---

  /** Sends all that waits now, one batch after the other; one such run at a time. */
  private async run(): Promise<void> {
    this.until = this.queue.newest;
    if (this.pending > 0 && !this.stopped) await (this.running ??= this.drain());
  }

  private async drain(): Promise<void> {
    this.cancelTimer();
    this.waiting = null;
    try {
      for (;;) {
        const batch = this.queue.batch(this.batchEvents, this.maxBatchBytes);
        const wanted = batch.length > 0 && batch[0]!.number <= this.until;
        if (!wanted || this.stopped || !(await this.send(batch, false))) return;
      }
    } finally {
      this.running = null;
      this.schedule();
    }
  }

  /** The page goes: all that a browser lets live on is sent, also what is on its way and might be cut off. */
  private leave(): void {
    if (this.waiting === "retry_after") return;
    for (;;) {
      const room = keepaliveBytes - this.leavingBytes;
      const maxBytes = Math.min(room, this.maxBatchBytes);
      const batch = this.queue.batch(this.maxBatchEvents, maxBytes, (entry) => !entry.leaving);
      const bytes = batch.reduce((sum, entry) => sum + entry.bytes, 0);
      if (batch.length === 0 || bytes > room) return;
      void this.sendLeaving(batch, bytes);
    }
  }

  private async sendLeaving(batch: Entry[], bytes: number): Promise<void> {
    batch.forEach((entry) => (entry.leaving = true));
    this.leavingBytes += bytes;
    await this.send(batch, true);
    this.leavingBytes -= bytes;
    batch.forEach((entry) => (entry.leaving = false));
  }

  /** False where it has to be tried again later. */
  private async send(batch: Entry[], keepalive: boolean): Promise<boolean> {
    batch.forEach((entry) => ++entry.sending);
    const outcome = await this.transport.send(batch.map((entry) => entry.json), keepalive);
    batch.forEach((entry) => --entry.sending);
    const done = this.apply(outcome, batch);
    if (this.pending === 0) this.onEmpty();
    return done;
  }

  private apply(outcome: Outcome, batch: Entry[]): boolean {
    if (outcome.kind === "failed") {
      this.fail(outcome.problem, outcome.retryAfterMs);
      return false;
    }
    this.backoff.reset();
    this.problem = null;
    if (outcome.kind === "answered") this.settle(outcome, batch);
    else this.refuse(outcome, batch);
    return true;
  }

  private settle({ results, position }: Outcome & { kind: "answered" }, batch: Entry[]): void {
    this.batchEvents = Math.min(this.maxBatchEvents, this.batchEvents * 2);
    const taken: FeedEvent[] = [];
    let duplicates = 0;
    batch.forEach((entry, place) => {
      const { status, code = "" } = results[place]!;
      if (!this.queue.settle(entry)) return;
      if (status === "rejected") {
        this.drop(entry.event, { status: 202, code, detail: "The server refused this event." });
        return;
      }
      taken.push(entry.event);
      if (status === "duplicate") ++duplicates;
    });
    if (taken.length === 0) return;
    this.tell(this.options.onSent, { events: taken, accepted: taken.length - duplicates, duplicates, position });
  }

  /** Sends smaller batches, until the event that is to blame is alone. */
  private refuse({ because, problem }: Outcome & { kind: "refused" }, batch: Entry[]): void {
    if (batch.length === 1 || because === "all") {
      for (const entry of batch) if (this.queue.settle(entry)) this.drop(entry.event, problem);
      return;
    }
    this.batchEvents = Math.ceil(batch.length / 2);
    if (because === "size") this.maxBatchEvents = this.batchEvents;
  }

  private fail(problem: Problem, retryAfterMs: number | null): void {
    if (this.stopped) return;
    this.problem = problem;
    const ms = this.backoff.next(retryAfterMs ?? 0);
    this.wait(retryAfterMs === null ? "backoff" : "retry_after", ms);
    this.tell(this.options.onProblem, problem);
  }

  private drop(event: FeedEvent, why: Problem): void {
    this.tell(this.options.onDropped, event, why);
  }

  /** What a callback throws is its author's to see, and must not stop the sending. */
  private tell<T extends unknown[]>(callback: ((...args: T) => void) | undefined, ...args: T): void {
    try {
      callback?.(...args);
    } catch (error) {
      console.error(error);
    }
  }
}
