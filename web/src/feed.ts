// The list on the page: its elements, the walk that "Load more" continues, and how the list changed.
import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import type { Explanation, FeedPage, Post, Source } from "./api";
import type { Session } from "./session";

export type Tab = "for_you" | "following" | "own";

/** A card. Own posts come from no source and have no score. */
export interface Entry {
  post: Post;
  source: Source | null;
  score: number | null;
  explain?: Explanation;
}

/** Places gained (positive) or lost since the list was read before; "new" for a post that was not in it. */
export type Move = number | "new";

/** What the server said about the answer itself. */
export type FeedFacts = Omit<FeedPage, "items" | "next_cursor">;

export interface FeedState {
  entries: Entry[];
  nextCursor: string | null;
  facts: FeedFacts | null;
  moves: ReadonlyMap<string, Move>;
}

const pageSize = 20;
const maxLimit = 100;

async function readPage(session: Session, tab: Tab, limit: number, cursor: string | null): Promise<FeedState> {
  const moves = new Map<string, Move>();
  if (tab === "own") {
    const { elements, next_cursor } = await session.api.postsOf(session.viewer.id, limit, cursor);
    const entries = elements.map((post) => ({ post, source: null, score: null }));
    return { entries, nextCursor: next_cursor, facts: null, moves };
  }
  const { items, next_cursor, ...facts } = await session.api.feed(tab, limit, cursor);
  return { entries: items, nextCursor: next_cursor, facts, moves };
}

export function movesBetween(before: Entry[], after: Entry[]): Map<string, Move> {
  const places = new Map(before.map((entry, place) => [entry.post.id, place]));
  const moves = new Map<string, Move>();
  after.forEach((entry, place) => {
    const old = places.get(entry.post.id);
    if (old === undefined) moves.set(entry.post.id, "new");
    else if (old !== place) moves.set(entry.post.id, old - place);
  });
  return moves;
}

/** Appends a page of the same walk. */
function extended(state: FeedState, page: FeedState): FeedState {
  return { ...page, entries: [...state.entries, ...page.entries], moves: state.moves };
}

export interface Feed {
  state: FeedState | null;
  loading: boolean;
  loadMore: () => Promise<void>;
  /** Reads the list again from its top, as long as it is now (at most 100), and remembers what moved. */
  reread: () => Promise<void>;
}

export function useFeed(session: Session, tab: Tab): Feed {
  const [state, setState] = useState<FeedState | null>(null);
  const [loading, setLoading] = useState(false);
  // An answer counts only if no later request was made: a slow one must not overwrite what came after it.
  const latest = useRef(0);

  const load = useCallback(
    async (limit: number, cursor: string | null, merge: (page: FeedState) => FeedState) => {
      const request = ++latest.current;
      setLoading(true);
      try {
        const page = await readPage(session, tab, limit, cursor);
        if (request === latest.current) setState(merge(page));
      } catch (error) {
        if (request === latest.current) session.report(error);
      } finally {
        if (request === latest.current) setLoading(false);
      }
    },
    [session, tab],
  );

  useEffect(() => {
    setState(null);
    void load(pageSize, null, (page) => page);
  }, [load]);

  const loadMore = async () => {
    if (state?.nextCursor) await load(pageSize, state.nextCursor, (page) => extended(state, page));
  };
  const reread = async () => {
    const before = state?.entries ?? [];
    const limit = Math.min(maxLimit, Math.max(pageSize, before.length));
    await load(limit, null, (page) => ({ ...page, moves: movesBetween(before, page.entries) }));
  };
  return { state, loading, loadMore, reread };
}
