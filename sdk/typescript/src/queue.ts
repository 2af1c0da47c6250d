// The events that wait, oldest first, bounded in number and bytes, and kept in a storage until they are settled.
import type { FeedEvent } from "./events.js";
import type { EventStorage } from "./storage.js";

export interface QueueLimits {
  maxEvents: number;
  maxBytes: number;
}

export interface Entry {
  readonly name: string;
  /** Later entries have greater ones. */
  readonly number: number;
  readonly event: FeedEvent;
  /** The event as it is sent, each time the same. */
  readonly json: string;
  readonly bytes: number;
  /** How many requests hold it now. */
  sending: number;
  /** Whether one of them outlives the page. */
  leaving: boolean;
}

const utf8 = new TextEncoder();

function parseEvent(text: string | null): FeedEvent | null {
  try {
    const event = JSON.parse(text ?? "null") as FeedEvent | null;
    return typeof event?.event_id === "string" ? event : null;
  } catch {
    return null;
  }
}

export class Queue {
  private readonly entries = new Map<string, Entry>();
  private readonly prefix: string;
  private total = 0;
  /** The greatest number of an entry until now. */
  newest = 0;

  /** `name` tells queues in one storage apart. `onStorageError`: an event could not be stored, and waits only here. */
  constructor(
    private readonly storage: EventStorage,
    name: string,
    private readonly limits: QueueLimits,
    private readonly onStorageError: (error: unknown) => void,
  ) {
    this.prefix = `novafeed.events.${encodeURIComponent(name)}/`;
  }

  get size(): number {
    return this.entries.size;
  }
  get bytes(): number {
    return this.total;
  }

  /** Takes over what the storage holds, also from other tabs; returns what there is no room for, oldest first. */
  load(): FeedEvent[] {
    const names = this.storage.names().filter((name) => name.startsWith(this.prefix));
    for (const name of names.sort()) {
      const event = parseEvent(this.storage.read(name));
      if (event) this.hold(name, event);
      else this.storage.remove(name);
    }
    return this.shrink();
  }

  /** `createdAt` orders it among the stored. Returns the events that had to go for it: the oldest. */
  add(event: FeedEvent, createdAt: number): FeedEvent[] {
    const order = `${String(createdAt).padStart(15, "0")}.${String(this.newest).padStart(9, "0")}`;
    const entry = this.hold(`${this.prefix}${order}.${event.event_id}`, event);
    const gone = this.shrink();
    if (!gone.includes(event)) this.store(entry);
    return gone;
  }

  /** The oldest (`wanted`) events, as many as fit, but at least one if any waits. */
  batch(maxEvents: number, maxBytes: number, wanted: (entry: Entry) => boolean = () => true): Entry[] {
    const batch: Entry[] = [];
    let bytes = 0;
    for (const entry of this.entries.values()) {
      if (!wanted(entry)) continue;
      if (batch.length > 0 && (batch.length >= maxEvents || bytes + entry.bytes > maxBytes)) break;
      batch.push(entry);
      bytes += entry.bytes;
    }
    return batch;
  }

  /** It needs not wait any more. False if it did not wait. */
  settle(entry: Entry): boolean {
    if (!this.entries.delete(entry.name)) return false;
    this.total -= entry.bytes;
    this.storage.remove(entry.name);
    return true;
  }

  private hold(name: string, event: FeedEvent): Entry {
    const json = JSON.stringify(event);
    const bytes = utf8.encode(json).length + 1;  // with the comma after it
    const entry: Entry = { name, number: ++this.newest, event, json, bytes, sending: 0, leaving: false };
    this.entries.set(name, entry);
    this.total += entry.bytes;
    return entry;
  }

  private store(entry: Entry): void {
    try {
      this.storage.write(entry.name, entry.json);
    } catch (error) {
      this.onStorageError(error);
    }
  }

  /** What is on its way stays: it is about to be settled, and would be called lost though it may be counted. */
  private shrink(): FeedEvent[] {
    const gone: FeedEvent[] = [];
    for (const entry of this.entries.values()) {
      if (this.size <= this.limits.maxEvents && this.total <= this.limits.maxBytes) break;
      if (entry.sending > 0) continue;
      this.settle(entry);
      gone.push(entry.event);
    }
    return gone;
  }
}
