// One batch to the server and what came of it. Knows HTTP; knows nothing of queues and waiting.
import { parseRetryAfter } from "./backoff.js";
import type { Clock } from "./clock.js";
import type { Problem } from "./events.js";

/** Gives the bearer token; `renew` is true when the server has just refused the one before. */
export type TokenProvider = (renew: boolean) => string | Promise<string>;

export interface TransportOptions {
  /** Where the server is, without a path; empty: where the page comes from. */
  url: string;
  token: TokenProvider;
  /** Whom a service token speaks for. */
  user: string | null;
  fetch: typeof fetch;
  timeoutMs: number;
  clock: Clock;
}

export interface Result {
  readonly status: "accepted" | "duplicate" | "rejected";
  readonly code?: string;
}

export type Outcome =
  /** Each event was judged by itself. */
  | { kind: "answered"; results: Result[]; position: string | null }
  /** This batch will never be taken as it is: `because` of its size, of something in it, or of each of its events. */
  | { kind: "refused"; because: "size" | "content" | "all"; problem: Problem }
  /** Nothing was said about the events: the same batch may be taken later. */
  | { kind: "failed"; problem: Problem; retryAfterMs: number | null };

interface Answer {
  status: number;
  headers: Headers;
  body: unknown;
}

/** Codes that hold for whatever this caller sends. */
const hopelessCodes = new Set(["user_erased", "user_required"]);

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function failure(code: string, error: unknown): Outcome {
  return { kind: "failed", problem: { status: 0, code, detail: messageOf(error) }, retryAfterMs: null };
}

function problemOf({ status, body }: Answer): Problem {
  const { code, title, detail } = (body ?? {}) as Partial<Record<string, string>>;
  return { status, code: code ?? "", detail: detail ?? title ?? `The server answered ${status}.` };
}

/** The results of a 202; null where it is none of this server's, but, say, of a hotel's login page. */
function resultsOf({ status, body }: Answer, count: number): Result[] | null {
  const results = (body as { results?: unknown } | null)?.results;
  if (status !== 202 || !Array.isArray(results) || results.length !== count) return null;
  return results.every((result) => typeof result?.status === "string") ? (results as Result[]) : null;
}

function reasonOfRefusal({ status, code }: Problem): "size" | "content" | "all" | null {
  if (hopelessCodes.has(code)) return "all";
  if (status === 413 || code === "bad_batch_size") return "size";
  return status === 400 || status === 422 ? "content" : null;
}

function outcomeOf(answer: Answer, count: number, now: number): Outcome {
  const results = resultsOf(answer, count);
  if (results) return { kind: "answered", results, position: answer.headers.get("Novafeed-Position") };
  const problem = problemOf(answer);
  const because = reasonOfRefusal(problem);
  if (because) return { kind: "refused", because, problem };
  return { kind: "failed", problem, retryAfterMs: parseRetryAfter(answer.headers.get("Retry-After"), now) };
}

export class Transport {
  private readonly open = new Set<AbortController>();
  private closed = false;

  constructor(private readonly options: TransportOptions) {}

  /** Never throws. `keepalive`: the request outlives the page. A refused token is asked for once more. */
  async send(events: readonly string[], keepalive: boolean): Promise<Outcome> {
    const body = `{"events":[${events.join(",")}]}`;
    let outcome = await this.attempt(body, events.length, keepalive, false);
    if (outcome.kind === "failed" && outcome.problem.status === 401) {
      outcome = await this.attempt(body, events.length, keepalive, true);
    }
    return outcome;
  }

  /** Ends what is under way; nothing is sent any more. */
  close(): void {
    this.closed = true;
    this.open.forEach((abort) => abort.abort());
  }

  private async attempt(body: string, count: number, keepalive: boolean, renew: boolean): Promise<Outcome> {
    let token: string;
    try {
      const given = this.options.token(renew);
      // No waiting where there is nothing to wait for: a page that goes may not live until then.
      token = typeof given === "string" ? given : await given;
    } catch (error) {
      return failure("no_token", error);
    }
    try {
      return outcomeOf(await this.post(body, token, keepalive), count, this.options.clock.now());
    } catch (error) {
      return failure("no_answer", error);
    }
  }

  private async post(body: string, token: string, keepalive: boolean): Promise<Answer> {
    const { url, user, timeoutMs, clock } = this.options;
    const headers: Record<string, string> = { Authorization: `Bearer ${token}`, "Content-Type": "application/json" };
    if (user !== null) headers["Novafeed-User"] = user;
    if (this.closed) throw new Error("this client is closed");
    const abort = new AbortController();
    const cancel = clock.later(timeoutMs, () => abort.abort());
    this.open.add(abort);
    try {
      const init = { method: "POST", headers, body, keepalive, signal: abort.signal };
      const response = await this.options.fetch(`${url}/api/v1/events`, init);
      // A broken connection must not pass for an answer without content, a content that is no JSON may.
      const text = await response.text();
      return { status: response.status, headers: response.headers, body: parseJson(text) };
    } finally {
      cancel();
      this.open.delete(abort);
    }
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
