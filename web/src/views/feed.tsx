// The viewer's feed: for you, ranked and taken apart, and following, in the order of time.
import { useState } from "preact/hooks";
import { useAct } from "../act";
import { type FeedFacts, type FeedMode, type Item, type Page, Problem } from "../api";
import { useLive } from "../live";
import { AboutOrder, Facts } from "../parts/about_score";
import { Aside } from "../parts/aside";
import { Avatar } from "../parts/person";
import { PostList } from "../parts/post_list";
import { Empty, messageOf } from "../parts/states";
import { TextForm } from "../parts/text_form";
import { ViewHead } from "../parts/view";
import { useRelations } from "../relations";
import { hrefOf, profileHref, useHere } from "../route";
import { useSession } from "../session";
import { type List, useWalk } from "../walk";

type FeedPageRead = Page<Item> & { facts: FeedFacts };

const idOf = (item: Item): string => item.post.id;

const empties: Record<FeedMode, [title: string, text: string]> = {
  for_you: ["Nothing here yet", "Follow somebody, or wait until people post."],
  following: ["Quiet here", "Nobody whom you follow posted in the last 30 days."],
};

/** One mode on one visit: another one is another component. */
export function FeedView({ mode }: { mode: FeedMode }) {
  const { place } = useHere();
  const [live, setLive] = useState(false);
  return <Feed key={place.number} mode={mode} live={live} setLive={setLive} />;
}

const whyLost = (error: unknown): string =>
  error instanceof Problem && error.status === 0 ? "the server does not answer." : messageOf(error);

interface FeedProps {
  mode: FeedMode;
  live: boolean;
  setLive: (live: boolean) => void;
}

function Feed({ mode, live, setLive }: FeedProps) {
  const { api, report } = useSession();
  const { withLikes } = useRelations();
  const list = useWalk<Item, FeedPageRead>("feed", (limit, cursor) => withLikes(api.feed(mode, limit, cursor)), idOf);
  const act = useAct(list.reread);
  const lost = useLive(live, list.reread);
  const facts = list.walk?.last.facts;
  const [title, text] = empties[mode];
  return (
    <>
      <main class="main" id="view" tabIndex={-1}>
        <ViewHead
          title="Feed"
          hidden
          tabs={[
            ["For you", { view: "feed", mode: "for_you" }],
            ["Following", { view: "feed", mode: "following" }],
          ]}
          end={
            <button
              type="button"
              class={lost === null ? "live" : "live live-lost"}
              aria-pressed={live}
              onClick={() => setLive(!live)}
            >
              Live
            </button>
          }
        />
        <p role="status" class="lost">
          {lost !== null && `Not live at the moment: ${whyLost(lost)} The page tries again by itself.`}
        </p>
        <Compose list={list} />
        <details class="about about-narrow">
          <summary>How the order comes about</summary>
          <AboutOrder mode={mode} />
        </details>
        <PostList
          label={mode === "for_you" ? "For you" : "Following"}
          list={list}
          act={act}
          sourced={mode === "for_you"}
          now={facts?.as_of ?? api.now()}
          empty={
            <Empty title={title}>
              {text} <a href={hrefOf({ view: "people" })}>Find people to follow</a>
            </Empty>
          }
        />
      </main>
      <Aside onFollowed={() => list.reread().catch(report)}>
        <section class="card about">
          <h2>How the order comes about</h2>
          <AboutOrder mode={mode} />
          {facts && <Facts facts={facts} mode={mode} />}
        </section>
      </Aside>
    </>
  );
}

function Compose({ list }: { list: List<Item, FeedPageRead> }) {
  const { api, viewer } = useSession();
  const act = useAct(list.reread);
  const posted = {
    text: "Posted. Whoever follows you will find it in their feed.",
    way: { label: "See it on your profile", href: profileHref(viewer.id) },
  };
  return (
    <section class="card compose" aria-label="Write a post">
      <Avatar id={viewer.id} user={viewer} />
      <TextForm
        label="What is new?"
        button="Post"
        onSubmit={(text) => act(() => api.post(text), posted)}
      />
    </section>
  );
}
