// What is trending, the same for everybody, in two windows.
import { useAct } from "../act";
import type { Item, TrendingWindow } from "../api";
import { Aside } from "../parts/aside";
import { PostList } from "../parts/post_list";
import { Empty } from "../parts/states";
import { ViewHead } from "../parts/view";
import { useRelations } from "../relations";
import { useHere } from "../route";
import { useSession } from "../session";
import { useWalk } from "../walk";

const shown = 50;
const meanings: Record<TrendingWindow, string> = {
  "1h": "By what people did in this clock hour and the one before it; the list is made anew every minute.",
  "24h": "By what people did in the last 24 hours; the list is made anew every second.",
};

export function TrendingView({ window }: { window: TrendingWindow }) {
  const { place } = useHere();
  return (
    <>
      <main class="main" id="view" tabIndex={-1}>
        <ViewHead
          title="Trending"
          tabs={[
            ["Last 24 hours", { view: "trending", window: "24h" }],
            ["Last hour", { view: "trending", window: "1h" }],
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
    (item: Item) => item.post.id,
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
    />
  );
}
