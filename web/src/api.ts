// The HTTP API as this page uses it: one client, typed by the API's own document, and what goes wrong as a Problem.
import { browserStorage, EventsClient, systemClock } from "@novafeed/events";
import type {
  Comment,
  FeedMode,
  FeedPage,
  Item,
  Operations,
  Pipeline,
  Post,
  SuggestedUser,
  TrendingItem,
  User,
} from "../generated/api";

export type * from "../generated/api";

export type TrendingWindow = NonNullable<Operations["GET /api/v1/trending"]["query"]["window"]>;

/** A page of a list, whatever the API calls its elements. */
export interface Page<T> {
  elements: T[];
  next_cursor: string | null;
}

/** What the server said about a feed itself. */
export type FeedFacts = Omit<FeedPage, "items" | "next_cursor">;

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

/** The event at the window that says that the server has answered, whatever it was. */
export const answeredEvent = "novafeed:answered";

async function send(path: string, init: RequestInit): Promise<Response> {
  const response = await fetch(path, { ...init, cache: "no-store" }).catch(() => {
    throw new Problem(0, "no_answer", "The server does not answer. Check that it is running, then try again.");
  });
  dispatchEvent(new Event(answeredEvent));
  if (!response.ok) throw await problemOf(response);
  return response;
}

type Operation = keyof Operations;
type Query<O extends Operation> = { [name in keyof Operations[O]["query"]]: Operations[O]["query"][name] | null };

/** What a request to an operation consists of; null in a query is nothing. */
type Parts<O extends Operation> = { query?: Query<O> } & (object extends Operations[O]["path"]
  ? { path?: never }
  : { path: Operations[O]["path"] }) &
  (undefined extends Operations[O]["body"] ? { body?: never } : { body: Operations[O]["body"] });

/** The same, where it no longer matters which operation it is. */
interface AnyParts {
  path?: Record<string, string>;
  query?: Record<string, string | number | readonly string[] | null | undefined>;
  body?: unknown;
}

interface Answered<O extends Operation> {
  answer: Operations[O]["answer"];
  headers: Headers;
}

/** "GET /api/v1/posts/{post_id}" and its parts as a path with a query, in which lists have commas. */
function targetOf(template: string, { path = {}, query = {} }: AnyParts): string {
  const filled = template.replace(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(path[name]!));
  const params = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value !== null && value !== undefined) params.set(name, String(value));
  }
  const text = params.toString();
  return text ? `${filled}?${text}` : filled;
}

/** The one way to the server: an operation of its document, with what the document says that it takes and answers. */
async function request<O extends Operation>(
  operation: O,
  parts: Parts<O>,
  headers: Record<string, string> = {},
): Promise<Answered<O>> {
  const [method, template] = operation.split(" ") as [string, string];
  const init: RequestInit = { method, headers };
  const { body } = parts as AnyParts;
  if (body !== undefined) {
    init.headers = { ...headers, "Content-Type": "application/json" };
    init.body = JSON.stringify(body);
  }
  const response = await send(targetOf(template, parts as AnyParts), init);
  return { answer: response.status === 204 ? undefined : await response.json(), headers: response.headers };
}

/** The people whom a demo server lets anybody be; null where it is not a demo server. */
export async function demoUsers(prefix: string, limit: number): Promise<User[] | null> {
  try {
    return (await request("GET /demo/users", { query: { prefix, limit } })).answer.users;
  } catch (error) {
    if (error instanceof Problem && error.status === 404) return null;
    throw error;
  }
}

export async function demoToken(userId: string): Promise<string> {
  return (await request("POST /demo/token", { body: { user_id: userId } })).answer.token;
}

/** `actAs` names the person whom a service token speaks for; a user's token speaks for its own user. */
export interface Credentials {
  token: string;
  actAs?: string;
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

  async feed(mode: FeedMode, limit: number, cursor: string | null): Promise<Page<Item> & { facts: FeedFacts }> {
    const query = { mode, limit, cursor, explain: mode === "for_you" ? (1 as const) : null };
    const { items, next_cursor, ...facts } = await this.call("GET /api/v1/feed", { query });
    // The pages of a walk all have the instant of its first one.
    if (!cursor) this.serverAhead = facts.as_of - Date.now();
    return { elements: items, next_cursor, facts };
  }

  /** The list has no pages. */
  async trending(window: TrendingWindow, limit: number): Promise<Page<TrendingItem> & { as_of: number }> {
    const query = { window, limit, explain: 1 as const };
    const { items, trending_as_of } = await this.call("GET /api/v1/trending", { query });
    return { elements: items, next_cursor: null, as_of: trending_as_of };
  }

  async suggestions(limit: number): Promise<Page<SuggestedUser>> {
    const parts = { query: { limit, explain: 1 as const } };
    return { elements: (await this.call("GET /api/v1/discover/suggested-users", parts)).users, next_cursor: null };
  }

  dismiss(id: string): Promise<void> {
    return this.call("DELETE /api/v1/discover/suggested-users/{user_id}", { path: { user_id: id } });
  }

  pipeline(): Promise<Pipeline> {
    return this.call("GET /api/v1/pipeline", {});
  }

  user(id: string): Promise<User> {
    return this.call("GET /api/v1/users/{user_id}", { path: { user_id: id } });
  }

  async following(id: string, limit: number, cursor: string | null): Promise<Page<User>> {
    const parts = { path: { user_id: id }, query: { limit, cursor } };
    const { users, next_cursor } = await this.call("GET /api/v1/users/{user_id}/following", parts);
    return { elements: users, next_cursor };
  }

  async followers(id: string, limit: number, cursor: string | null): Promise<Page<User>> {
    const parts = { path: { user_id: id }, query: { limit, cursor } };
    const { users, next_cursor } = await this.call("GET /api/v1/users/{user_id}/followers", parts);
    return { elements: users, next_cursor };
  }

  async postsOf(id: string, limit: number, cursor: string | null): Promise<Page<Post>> {
    const parts = { path: { user_id: id }, query: { limit, cursor } };
    const { posts, next_cursor } = await this.call("GET /api/v1/users/{user_id}/posts", parts);
    return { elements: posts, next_cursor };
  }

  async commentsOn(id: string, limit: number, cursor: string | null): Promise<Page<Comment>> {
    const parts = { path: { post_id: id }, query: { limit, cursor } };
    const { comments, next_cursor } = await this.call("GET /api/v1/posts/{post_id}/comments", parts);
    return { elements: comments, next_cursor };
  }

  setFollow(id: string, on: boolean): Promise<void> {
    const parts = { path: { user_id: id } };
    if (on) return this.call("PUT /api/v1/users/{user_id}/follow", parts);
    return this.call("DELETE /api/v1/users/{user_id}/follow", parts);
  }

  setLike(postId: string, on: boolean): Promise<void> {
    const parts = { path: { post_id: postId } };
    if (on) return this.call("PUT /api/v1/posts/{post_id}/like", parts);
    return this.call("DELETE /api/v1/posts/{post_id}/like", parts);
  }

  /** Those of these posts, 1 to 100, that the viewer likes. */
  async likedAmong(posts: readonly string[]): Promise<ReadonlySet<string>> {
    return new Set((await this.call("GET /api/v1/likes", { query: { posts: [...posts] } })).liked);
  }

  editPost(id: string, text: string): Promise<Post> {
    return this.call("PATCH /api/v1/posts/{post_id}", { path: { post_id: id }, body: { text } });
  }

  deletePost(id: string): Promise<void> {
    return this.call("DELETE /api/v1/posts/{post_id}", { path: { post_id: id } });
  }

  deleteComment(id: string): Promise<void> {
    return this.call("DELETE /api/v1/comments/{comment_id}", { path: { comment_id: id } });
  }

  post(text: string): Promise<Post> {
    return this.call("POST /api/v1/posts", { body: { text } });
  }

  comment(postId: string, text: string): Promise<Comment> {
    return this.call("POST /api/v1/posts/{post_id}/comments", { path: { post_id: postId }, body: { text } });
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

  private async call<O extends Operation>(operation: O, parts: Parts<O>): Promise<Operations[O]["answer"]> {
    try {
      return await this.withGoodToken(operation, parts);
    } catch (error) {
      if (!(error instanceof Problem) || error.code !== "other_generation" || this.position === null) throw error;
      this.position = null;  // the server was given other data since
      return this.withGoodToken(operation, parts);
    }
  }

  private async withGoodToken<O extends Operation>(operation: O, parts: Parts<O>): Promise<Operations[O]["answer"]> {
    try {
      return await this.attempt(operation, parts);
    } catch (error) {
      if (!(error instanceof Problem) || error.status !== 401 || !this.renew) throw error;
      await this.renewToken(this.renew);
      return this.attempt(operation, parts);
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

  private async attempt<O extends Operation>(operation: O, parts: Parts<O>): Promise<Operations[O]["answer"]> {
    const headers: Record<string, string> = { Authorization: `Bearer ${this.credentials.token}` };
    if (this.credentials.actAs) headers["Novafeed-User"] = this.credentials.actAs;
    // Reads wait for it, and writes answer with the union.
    if (this.position !== null) headers["Novafeed-Position"] = this.position;
    const { answer, headers: answered } = await request(operation, parts, headers);
    this.notePosition(answered.get("Novafeed-Position"));
    return answer;
  }
}
