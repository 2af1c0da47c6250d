// What is trending, the same for everybody, in two windows.
import { useAct } from "../act";
import type { TrendingItem, TrendingWindow } from "../api";
import { Aside } from "../parts/aside";
import { PostList } from "../parts/post_list";
import { countsOf } from "../parts/score";
import { Empty } from "../parts/states";
import { ViewHead } from "../parts/view";
import { useRelations } from "../relations";
import { useHere } from "../route";
import { useSession } from "../session";
import { useWalk } from "../walk";

const shown = 50;
const meanings: Record<TrendingWindow, string> = {
  "1h": "By what people did in this clock hour and the one before it; the list is made anew every minute.",
  "24h": "By what people did in this clock hour and the 23 before it; the list is made anew every second.",
};

/** Windows begin and end with clock hours. */
const spans: Record<TrendingWindow, string> = { "1h": "This hour and the last", "24h": "24 clock hours" };

export function TrendingView({ window }: { window: TrendingWindow }) {
  const { place } = useHere();
  return (
    <>
      <main class="main" id="view" tabIndex={-1}>
        <ViewHead
          title="Trending"
          tabs={[
            ["24 hours", { view: "trending", window: "24h" }],
            [spans["1h"], { view: "trending", window: "1h" }],
          ]}
        >
          <p class="lead">{meanings[window]} Score = 0.40 × engagement + 0.30 × freshness.</p>
        </ViewHead>
        <TrendingList key={place.number} window={window} />
      </main>
      <Aside />
    </>
  );
}

function TrendingList({ window }: { window: TrendingWindow }) {
  const { api } = useSession();
  const { withLikes } = useRelations();
  const list = useWalk(
    "trending",
    () => withLikes(api.trending(window, shown)),
    (item: TrendingItem) => item.post.id,
  );
  const act = useAct(list.reread);
  return (
    <PostList
      label="Trending"
      list={list}
      act={act}
      now={list.walk?.last.as_of ?? api.now()}
      empty={<Empty title="Nothing is trending">Nobody has reacted to a post in this time.</Empty>}
      numbered
      noteOf={(item) => <Counts item={item} window={window} />}
    />
  );
}

/**
 * What put the post into the list, as long as the score above does not tell it, and what it has in all where that is
 * something else.
 */
function Counts({ item: { post, explain }, window }: { item: TrendingItem; window: TrendingWindow }) {
  const inWindow = explain && countsOf(explain.engagement);
  const inAll = countsOf(post);
  return (
    <dl class="facts counts">
      {inWindow && (
        <div class="counts-window">
          <dt>{spans[window]}</dt>
          <dd>{inWindow}</dd>
        </div>
      )}
      {inAll !== inWindow && (
        <div class="counts-all">
          <dt>In all</dt>
          <dd>{inAll}</dd>
        </div>
      )}
    </dl>
  );
}
