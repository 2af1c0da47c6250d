// What the viewer likes and whom they follow, as far as this page knows.
import { createContext } from "preact";
import { useCallback, useContext, useEffect, useMemo, useRef, useState } from "preact/hooks";
import type { Page, Post } from "./api";
import type { Session } from "./session";

// Reading more pages of a long list than this would cost more than a wrong word on a button.
const maxPages = 10;
const pageSize = 100;

async function readFollowing({ api, viewer }: Session): Promise<Set<string>> {
  const ids = new Set<string>();
  let cursor: string | null = null;
  for (let page = 0; page < maxPages; ++page) {
    const { elements, next_cursor } = await api.following(viewer.id, pageSize, cursor);
    for (const user of elements) ids.add(user.id);
    cursor = next_cursor;
    if (!cursor) break;
  }
  return ids;
}

function toggled(ids: Set<string>, id: string, on: boolean): Set<string> {
  const next = new Set(ids);
  if (on) next.add(id);
  else next.delete(id);
  return next;
}

type PostsPage = Page<{ post: Post }>;

export interface Relations {
  /** By post; nothing as long as it is not known. */
  likes: ReadonlyMap<string, boolean>;
  /** Hands a page of posts on, and asks the server which of them the viewer likes. Always the same function. */
  withLikes: <P extends PostsPage>(page: Promise<P>) => Promise<P>;
  /** Null until it is known: a button that guesses would do the opposite of what it says. */
  follows: ReadonlySet<string> | null;
  setLike: (postId: string, on: boolean) => Promise<void>;
  setFollow: (userId: string, on: boolean) => Promise<void>;
}

const RelationsContext = createContext<Relations | null>(null);
export const RelationsProvider = RelationsContext.Provider;

export function useRelations(): Relations {
  const relations = useContext(RelationsContext);
  if (!relations) throw new Error("outside of a session");
  return relations;
}

function useOwnLikes({ api, report }: Session): Pick<Relations, "likes" | "withLikes" | "setLike"> {
  const [likes, setLikes] = useState<ReadonlyMap<string, boolean>>(new Map());
  // What the viewer has changed so far: an answer to a question from before a change may be older than it.
  const changes = useRef(0);

  const ask = useCallback(
    async (posts: readonly string[]) => {
      let before: number;
      let liked: ReadonlySet<string>;
      do {
        before = changes.current;
        liked = await api.likedAmong(posts);
      } while (before !== changes.current);
      setLikes((known) => new Map([...known, ...posts.map((id) => [id, liked.has(id)] as const)]));
    },
    [api],
  );
  const withLikes = useCallback(
    async <P extends PostsPage>(page: Promise<P>): Promise<P> => {
      const { elements } = await page;
      if (elements.length > 0) ask(elements.map(({ post }) => post.id)).catch(report);
      return page;
    },
    [ask, report],
  );
  const setLike = useCallback(
    async (postId: string, on: boolean) => {
      await api.setLike(postId, on);
      ++changes.current;
      setLikes((known) => new Map(known).set(postId, on));
    },
    [api],
  );
  return { likes, withLikes, setLike };
}

export function useOwnRelations(session: Session): Relations {
  const { likes, withLikes, setLike } = useOwnLikes(session);
  const [follows, setFollows] = useState<Set<string> | null>(null);

  useEffect(() => {
    readFollowing(session).then(setFollows, session.report);
  }, [session]);

  return useMemo(
    () => ({
      likes,
      withLikes,
      setLike,
      follows,
      setFollow: async (userId, on) => {
        await session.api.setFollow(userId, on);
        setFollows((ids) => toggled(ids ?? new Set(), userId, on));
      },
    }),
    [session, likes, withLikes, setLike, follows],
  );
}
