// What an event is, and what can be said about it.

export type EventType = "impression" | "view" | "share" | "like" | "unlike";

/** An event as it is sent. All of it together is its identity: the server counts it once, however often it is sent. */
export interface FeedEvent {
  readonly event_id: string;
  readonly type: EventType;
  readonly post_id: string;
  readonly at: number;
  /** Who did it, where the token speaks for a platform. */
  readonly user_id?: string;
}

/** Why something was not done. `status` is the HTTP status, 0 where there was no answer. */
export interface Problem {
  readonly status: number;
  readonly code: string;
  readonly detail: string;
}

/** Node 18 has no global `crypto`; an id has to be new, not secret, and is only a part of the event's identity. */
function randomBytes(count: number): Uint8Array {
  const bytes = new Uint8Array(count);
  return globalThis.crypto ? crypto.getRandomValues(bytes) : bytes.map(() => Math.random() * 256);
}

/** A random UUID. `crypto.randomUUID` would do, but browsers have it on secure origins only. */
export function newId(): string {
  const bytes = randomBytes(16);
  bytes[6] = (bytes[6]! & 0x0f) | 0x40;
  bytes[8] = (bytes[8]! & 0x3f) | 0x80;
  const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}
