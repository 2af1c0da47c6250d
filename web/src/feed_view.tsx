// A viewer's feed: tabs, compose box, cards, "Load more", and the facts of the answer.
import { useCallback, useEffect, useMemo, useState } from "preact/hooks";
import { About } from "./about";
import { Compose } from "./compose";
import { type Tab, useFeed } from "./feed";
import { FlipList } from "./flip_list";
import { Impressions } from "./impressions";
import { PostCard } from "./post_card";
import { useRelations } from "./relations";
import { useSession } from "./session";

const tabs: { tab: Tab; label: string; empty: string }[] = [
  { tab: "for_you", label: "For you", empty: "Nothing to show yet. Follow somebody, or wait until people post." },
  { tab: "following", label: "Following", empty: "Nobody whom you follow posted in the last 30 days." },
  { tab: "own", label: "Your posts", empty: "You have not posted yet." },
];

export function FeedView() {
  const session = useSession();
  const [tab, setTab] = useState<Tab>("for_you");
  const [notice, setNotice] = useState("");
  const { state, loading, loadMore, reread } = useFeed(session, tab);
  const relations = useRelations(session);
  const impressions = useMemo(() => new Impressions(session.events), [session]);
  useEffect(() => () => impressions.close(), [impressions]);

  /** Runs what the viewer asked for, then shows what became of the feed. */
  const act = useCallback(
    async (action: () => Promise<unknown>, done = "") => {
      try {
        await action();
        setNotice(done);
        await reread();
      } catch (error) {
        session.report(error);
      }
    },
    [session, reread],
  );

  const entries = state?.entries ?? [];
  // All bars share one scale, so that the cards compare.
  const scale = Math.max(0, ...entries.map((entry) => entry.score ?? 0));
  const current = tabs.find((one) => one.tab === tab)!;

  return (
    <div class="columns">
      <main class="feed">
        <Compose
          onPost={(text) => act(() => session.api.post(text), "Posted. Whoever follows you will find it in their feed.")}
        />
        <p role="status" class="notice">
          {notice}
        </p>
        <nav class="tabs" aria-label="Feed">
          {tabs.map(({ tab: one, label }) => (
            <button key={one} type="button" aria-pressed={one === tab} onClick={() => setTab(one)}>
              {label}
            </button>
          ))}
        </nav>
        <section aria-label={current.label} aria-busy={loading}>
          <FlipList order={entries.map((entry) => entry.post.id)}>
            {entries.map((entry) => (
              <PostCard
                key={entry.post.id}
                entry={entry}
                move={state?.moves.get(entry.post.id)}
                scale={scale}
                now={state?.facts?.as_of ?? session.api.now()}
                relations={relations}
                impressions={impressions}
                act={act}
              />
            ))}
          </FlipList>
          {state && entries.length === 0 && <p class="waiting">{current.empty}</p>}
          {!state && loading && <p class="waiting">Reading the feed…</p>}
          {state?.nextCursor && (
            <button type="button" class="more" disabled={loading} onClick={() => void loadMore()}>
              Load more
            </button>
          )}
          {state && !state.nextCursor && entries.length > 0 && <p class="waiting">That is all.</p>}
        </section>
      </main>
      <About facts={state?.facts ?? null} />
    </div>
  );
}
