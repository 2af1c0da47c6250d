export { EventsClient, type EventsOptions, type FlushResult, type Sent, type TrackOptions } from "./client.js";
export { type Clock, systemClock } from "./clock.js";
export { type EventType, type FeedEvent, newId, type Problem } from "./events.js";
export { type Lifecycle, pageLifecycle } from "./lifecycle.js";
export { browserStorage, type EventStorage, MemoryStorage, WebStorage } from "./storage.js";
export type { TokenProvider } from "./transport.js";
