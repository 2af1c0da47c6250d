// The HTTP API as this page uses it: types, one client, and what goes wrong as a Problem.
import { browserStorage, EventsClient, systemClock } from "@novafeed/events";

export interface User {
  id: string;
  external_id?: string;
  handle: string;
  name: string;
  created_at: number;
  followers: number;
  following: number;
}

export interface Post {
  id: string;
  external_id?: string;
  author_id: string;
  text: string;
  created_at: number;
  likes: number;
  comments: number;
  shares: number;
  impressions: number;
}

export interface Comment {
  id: string;
  post_id: string;
  user_id: string;
  text: string;
  created_at: number;
}

interface Term {
  value: number;
  weight: number;
  term: number;
}

export interface Explanation {
  freshness: Term & { age_hours: number };
  engagement: Term & { likes: number; comments: number; shares: number; impressions: number };
  affinity: Term & { interactions: number };
}

export type Source = "follow" | "trending" | "affinity" | "fallback";

export interface Item {
  post: Post;
  source: Source;
  score: number | null;
  explain?: Explanation;
}

export type FeedMode = "for_you" | "following";

export interface FeedPage {
  items: Item[];
  next_cursor: string | null;
  as_of: number;
  trending_as_of: number;
  counters_as_of: number;
  profile: string;
  engine: string;
  cached: boolean;
  degraded: string[];
}

/** A page of a list, whatever the API calls its elements. */
export interface Page<T> {
  elements: T[];
  next_cursor: string | null;
}

/** An answer that says no, in the server's own words. `status` is 0 where there was no answer. */
export class Problem extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    detail: string,
  ) {
    super(detail);
  }
}

async function problemOf(response: Response): Promise<Problem> {
  const body: unknown = await response.json().catch(() => null);
  const { code, title, detail } = (body ?? {}) as Partial<Record<string, string>>;
  return new Problem(response.status, code ?? "", detail ?? title ?? `The server answered ${response.status}.`);
}

async function send(path: string, init: RequestInit): Promise<Response> {
  const response = await fetch(path, { ...init, cache: "no-store" }).catch(() => {
    throw new Problem(0, "no_answer", "The server does not answer. Check that it is running, then try again.");
  });
  if (!response.ok) throw await problemOf(response);
  return response;
}

function withQuery(path: string, query: Record<string, string | number | null | undefined>): string {
  const params = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value !== null && value !== undefined) params.set(name, String(value));
  }
  return `${path}?${params}`;
}

/** The people whom a demo server lets anybody be; null where it is not a demo server. */
export async function demoUsers(prefix: string, limit: number): Promise<User[] | null> {
  try {
    const response = await send(withQuery("/demo/users", { prefix, limit }), {});
    return ((await response.json()) as { users: User[] }).users;
  } catch (error) {
    if (error instanceof Problem && error.status === 404) return null;
    throw error;
  }
}

export async function demoToken(userId: string): Promise<string> {
  const response = await send("/demo/token", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ user_id: userId }),
  });
  return ((await response.json()) as { token: string }).token;
}

/** `actAs` names the person whom a service token speaks for; a user's token speaks for its own user. */
export interface Credentials {
  token: string;
  actAs?: string;
}

interface Call {
  query?: Record<string, string | number | null | undefined>;
  body?: unknown;
}

/**
 * Speaks for one viewer. Remembers the position of the last write and asks every later read to be at least that fresh,
 * so that a viewer always sees what they just did.
 */
export class Api {
  private position: string | null = null;
  private serverAhead = 0;

  /** `renew` gives a new token when the old one is no longer accepted. */
  constructor(
    private credentials: Credentials,
    private readonly renew?: () => Promise<string>,
  ) {}

  /** The server's time, from the last feed that it answered: events must be dated by its clock, not by ours. */
  now(): number {
    return Date.now() + this.serverAhead;
  }

  async feed(mode: FeedMode, limit: number, cursor: string | null): Promise<FeedPage> {
    const query = { mode, limit, cursor, explain: mode === "for_you" ? 1 : null };
    const page = await this.read<FeedPage>("/api/v1/feed", query);
    this.serverAhead = page.as_of - Date.now();
    return page;
  }

  user(id: string): Promise<User> {
    return this.read(`/api/v1/users/${encodeURIComponent(id)}`);
  }

  following(id: string, limit: number, cursor: string | null): Promise<Page<User>> {
    return this.list(`/api/v1/users/${id}/following`, "users", limit, cursor);
  }

  postsOf(id: string, limit: number, cursor: string | null): Promise<Page<Post>> {
    return this.list(`/api/v1/users/${id}/posts`, "posts", limit, cursor);
  }

  commentsOn(id: string, limit: number, cursor: string | null): Promise<Page<Comment>> {
    return this.list(`/api/v1/posts/${id}/comments`, "comments", limit, cursor);
  }

  async setFollow(id: string, on: boolean): Promise<void> {
    await this.call(on ? "PUT" : "DELETE", `/api/v1/users/${id}/follow`);
  }

  async setLike(postId: string, on: boolean): Promise<void> {
    await this.call(on ? "PUT" : "DELETE", `/api/v1/posts/${postId}/like`);
  }

  async post(text: string): Promise<Post> {
    return (await this.call("POST", "/api/v1/posts", { body: { text } })).json();
  }

  async comment(postId: string, text: string): Promise<Comment> {
    return (await this.call("POST", `/api/v1/posts/${postId}/comments`, { body: { text } })).json();
  }

  /** What tells the server the viewer's events; what it could not tell waits in the browser for the viewer's next visit. */
  openEvents(viewerId: string): EventsClient {
    return new EventsClient({
      url: "",
      token: (renew) => (renew && this.renew ? this.renewToken(this.renew) : this.credentials.token),
      ...(this.credentials.actAs ? { user: this.credentials.actAs } : {}),
      storage: browserStorage(),
      queue: viewerId,
      clock: { ...systemClock, now: () => this.now() },
      onSent: ({ position }) => this.notePosition(position),
    });
  }

  private async list<T>(path: string, name: string, limit: number, cursor: string | null): Promise<Page<T>> {
    const answer = await this.read<Record<string, unknown>>(path, { limit, cursor });
    return { elements: answer[name] as T[], next_cursor: answer["next_cursor"] as string | null };
  }

  private async read<T>(path: string, query: NonNullable<Call["query"]> = {}): Promise<T> {
    try {
      return await (await this.call("GET", path, { query: { ...query, min_position: this.position } })).json();
    } catch (error) {
      if (!(error instanceof Problem) || error.code !== "other_generation" || this.position === null) throw error;
      this.position = null;  // the server was given other data since
      return this.read(path, query);
    }
  }

  private async call(method: string, path: string, call: Call = {}): Promise<Response> {
    try {
      return await this.attempt(method, path, call);
    } catch (error) {
      if (!(error instanceof Problem) || error.status !== 401 || !this.renew) throw error;
      await this.renewToken(this.renew);
      return this.attempt(method, path, call);
    }
  }

  private async renewToken(renew: () => Promise<string>): Promise<string> {
    const token = await renew();
    this.credentials = { ...this.credentials, token };
    return token;
  }

  private notePosition(position: string | null): void {
    this.position = position ?? this.position;
  }

  private async attempt(method: string, path: string, { query, body }: Call): Promise<Response> {
    const headers: Record<string, string> = { Authorization: `Bearer ${this.credentials.token}` };
    if (this.credentials.actAs) headers["Novafeed-User"] = this.credentials.actAs;
    if (body !== undefined) headers["Content-Type"] = "application/json";
    if (this.position !== null && method !== "GET") headers["Novafeed-Position"] = this.position;
    const init: RequestInit = { method, headers };
    if (body !== undefined) init.body = JSON.stringify(body);
    const response = await send(query ? withQuery(path, query) : path, init);
    this.notePosition(response.headers.get("Novafeed-Position"));
    return response;
  }
}
