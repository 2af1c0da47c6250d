// Who is looking, and what this tab remembers of them.
import type { EventsClient } from "@novafeed/events";
import { createContext } from "preact";
import { useContext, useEffect, useState } from "preact/hooks";
import { Api, type Credentials, demoToken, Problem, type User } from "./api";
import { Impressions } from "./impressions";
import { PipelineWatch } from "./pipeline/watch";

/** How to become the viewer again after a reload. */
export type Choice = { kind: "demo"; userId: string } | { kind: "token"; credentials: Credentials };

const choiceKey = "novafeed.viewer";

export function storedChoice(): Choice | null {
  try {
    return JSON.parse(sessionStorage.getItem(choiceKey) ?? "null") as Choice | null;
  } catch {
    return null;
  }
}

export function storeChoice(choice: Choice | null): void {
  if (choice) sessionStorage.setItem(choiceKey, JSON.stringify(choice));
  else sessionStorage.removeItem(choiceKey);
}

/** A claim of a token; null where it has none, or is no JWT. The server checks the token, this only reads it. */
function claimOf(token: string, name: "sub" | "scope"): string | null {
  try {
    const payload = token.split(".")[1]!.replace(/-/g, "+").replace(/_/g, "/");
    const claim = (JSON.parse(atob(payload)) as Record<string, unknown>)[name];
    return typeof claim === "string" ? claim : null;
  } catch {
    return null;
  }
}

function userIdOf(choice: Choice): string | null {
  if (choice.kind === "demo") return choice.userId;
  const { token, actAs } = choice.credentials;
  return actAs ?? claimOf(token, "sub");
}

/** A demo shows its pipeline to everybody, another server to the platform's own programs. */
function maySeePipeline(choice: Choice): boolean {
  if (choice.kind === "demo") return true;
  return ["service", "admin"].includes(claimOf(choice.credentials.token, "scope") ?? "user");
}

/** Users by id, each asked for once. */
export class UserCache {
  private readonly pending = new Map<string, Promise<User>>();
  private readonly known = new Map<string, User>();

  constructor(private readonly api: Api) {}

  peek(id: string): User | undefined {
    return this.known.get(id);
  }

  note(user: User): void {
    this.known.set(user.id, user);
    this.pending.set(user.id, Promise.resolve(user));
  }

  get(id: string): Promise<User> {
    let user = this.pending.get(id);
    if (!user) {
      user = this.api.user(id);
      user.then(
        (found) => this.known.set(id, found),
        () => this.pending.delete(id),
      );
      this.pending.set(id, user);
    }
    return user;
  }
}

export interface Session {
  api: Api;
  viewer: User;
  users: UserCache;
  /** Tells the server what the viewer saw and shared. */
  events: EventsClient;
  impressions: Impressions;
  /** How long likes of this viewer took until the feed was shown with them, in seconds; the last ones. */
  likeTimes: readonly number[];
  pipeline: PipelineWatch;
  /** As far as the token tells; who asks all the same is refused. */
  seesPipeline: boolean;
  /** Shows an error to the viewer. */
  report: (error: unknown) => void;
  /** Tells the viewer what was done; null takes back what was told before. */
  tell: (notice: Notice | null) => void;
  /** Asks the viewer before something is done that cannot be taken back. */
  confirm: (question: Question) => Promise<boolean>;
}

export interface Notice {
  text: string;
  /** Leads to what the text is about: another view, or a place in this one. */
  way?: { label: string; href: string } | { label: string; go: () => void };
}

export interface Question {
  title: string;
  /** What becomes of it. */
  text: string;
  /** What the button says that does it. */
  button: string;
}

export type OpenedSession = Omit<Session, "report" | "tell" | "confirm">;

export const SessionContext = createContext<Session | null>(null);

export function useSession(): Session {
  const session = useContext(SessionContext);
  if (!session) throw new Error("outside of a session");
  return session;
}

/** A user by id; undefined until known, and for one who is gone. */
export function useUser(id: string): User | undefined {
  const { users } = useSession();
  const [user, setUser] = useState(users.peek(id));
  useEffect(() => {
    let current = true;
    users.get(id).then(
      (found) => current && setUser(found),
      () => current && setUser(undefined),
    );
    return () => {
      current = false;
    };
  }, [users, id]);
  return user;
}

export async function openSession(choice: Choice): Promise<OpenedSession> {
  const api = await apiFor(choice);
  const id = userIdOf(choice);
  if (!id) throw new Problem(0, "bad_token", "That is not a token. Paste what the command novafeed token printed.");
  const viewer = await api.user(id).catch((error: unknown) => {
    throw choice.kind === "token" ? inWordsOfTheForm(error, choice.credentials) : error;
  });
  const events = api.openEvents(viewer.id);
  return {
    api,
    viewer,
    users: new UserCache(api),
    events,
    impressions: new Impressions(events),
    likeTimes: [],
    pipeline: new PipelineWatch(() => api.pipeline()),
    seesPipeline: maySeePipeline(choice),
  };
}

/** The API speaks of headers and ids; who fills in the form sees fields. */
function inWordsOfTheForm(error: unknown, { actAs }: Credentials): unknown {
  if (!(error instanceof Problem)) return error;
  const told: Record<string, string> = {
    unknown_user: actAs
      ? `Nobody has the id ${actAs}. Check the field User id: a UUID, or ext: and your own id, as ext:ada.`
      : "Nobody has the id that this token was made for. With a service token, put the person's id into the field User id, as ext:ada.",
    bad_id: "The field User id takes a UUID, or ext: and your own id, as ext:ada.",
    other_user: "This token is one person's own: leave the field User id empty, or take a service token.",
  };
  const detail = told[error.code];
  return detail ? new Problem(error.status, error.code, detail) : error;
}

async function apiFor(choice: Choice): Promise<Api> {
  if (choice.kind === "token") return new Api(choice.credentials);
  const renew = () => demoToken(choice.userId);
  return new Api({ token: await renew() }, renew);
}
