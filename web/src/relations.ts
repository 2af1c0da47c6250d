// What the viewer likes and whom they follow, as far as this page knows.
import { createContext } from "preact";
import { useContext, useEffect, useMemo, useState } from "preact/hooks";
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

// The API does not say whether a viewer likes a post, so own likes are remembered for as long as the tab lives.
const likesKey = (session: Session) => `novafeed.likes.${session.viewer.id}`;

function storedLikes(session: Session): Set<string> {
  return new Set(JSON.parse(sessionStorage.getItem(likesKey(session)) ?? "[]") as string[]);
}

function toggled(ids: Set<string>, id: string, on: boolean): Set<string> {
  const next = new Set(ids);
  if (on) next.add(id);
  else next.delete(id);
  return next;
}

export interface Relations {
  likes: ReadonlySet<string>;
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

export function useOwnRelations(session: Session): Relations {
  const [likes, setLikes] = useState(() => storedLikes(session));
  const [follows, setFollows] = useState<Set<string> | null>(null);

  useEffect(() => {
    readFollowing(session).then(setFollows, session.report);
  }, [session]);
  useEffect(() => sessionStorage.setItem(likesKey(session), JSON.stringify([...likes])), [session, likes]);

  return useMemo(
    () => ({
      likes,
      follows,
      setLike: async (postId, on) => {
        await session.api.setLike(postId, on);
        setLikes((ids) => toggled(ids, postId, on));
      },
      setFollow: async (userId, on) => {
        await session.api.setFollow(userId, on);
        setFollows((ids) => toggled(ids ?? new Set(), userId, on));
      },
    }),
    [session, likes, follows],
  );
}
