// One post with its place in the list explained, and what a viewer can do about it.
import type { ComponentChildren } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { type Act, movedNotice } from "../act";
import { type Post, Problem, type Source } from "../api";
import { plural, shortCount, timeAgo } from "../format";
import { barPlaces } from "../pipeline/chart";
import { useRelations } from "../relations";
import { useSession, useUser } from "../session";
import type { Move, Moves } from "../walk";
import { Comments } from "./comments";
import { Icon } from "./icons";
import { EditForm, OwnActions } from "./own_post";
import { Avatar, FollowButton, nameOf, NameLink } from "./person";
import { type Parts, Score } from "./score";

/** A post in a list. Where nothing ranks the list there is no source and no score. */
export interface Entry {
  post: Post;
  source: Source | null;
  score: number | null;
  explain?: Parts;
}

const sourceLabels: Record<Source, [label: string, meaning: string]> = {
  follow: ["Following", "You follow the author"],
  trending: ["Trending", "Many people act on it today"],
  affinity: ["Affinity", "You often react to this author"],
  fallback: ["New", "Among the platform's newest"],
};

// Longer texts are folded, so that one post cannot fill the feed.
const foldedLength = 600;

interface Props {
  entry: Entry;
  /** Its place in the list, from 1, and how many there are; -1 where that is not known. */
  place: number;
  all: number;
  move: Move | undefined;
  /** The score that fills the whole width. */
  scale: number;
  now: number;
  act: Act;
  /** The place is shown. */
  numbered?: boolean;
  /** Its source is shown. */
  sourced?: boolean;
  /** What is told about the post beside its score. */
  note?: ComponentChildren;
}

export function PostCard(props: Props) {
  const { entry, place, all, move, scale, now, act, numbered = false, sourced = false, note } = props;
  const { post, source, score, explain } = entry;
  const { viewer, impressions } = useSession();
  const author = useUser(post.author_id);
  const card = useRef<HTMLElement>(null);
  const own = post.author_id === viewer.id;
  const [editing, setEditing] = useState(false);
  const endEditing = () => {
    setEditing(false);
    card.current?.querySelector<HTMLElement>(".act-edit")?.focus();
  };
  useEffect(() => (own ? undefined : impressions.watch(card.current!, post.id)), [impressions, post.id, own]);

  return (
    <article
      class="card post"
      ref={card}
      data-post={post.id}
      tabIndex={0}
      aria-posinset={place}
      aria-setsize={all}
      aria-label={`Post by ${author ? nameOf(author) : "somebody"}`}
    >
      <header class="card-head">
        {numbered && <b class="rank">{place}</b>}
        <Avatar id={post.author_id} user={author} />
        <span class="who">
          <NameLink id={post.author_id} user={author} />
          <time dateTime={new Date(post.created_at).toISOString()} title={new Date(post.created_at).toLocaleString()}>
            {timeAgo(post.created_at, now)}
          </time>
        </span>
        <span class="badges">
          <MoveHint move={move} />
          {source && sourced && (
            <span class={`source source-${source}`} title={sourceLabels[source][1]}>
              {sourceLabels[source][0]}
            </span>
          )}
        </span>
      </header>
      {editing ? <EditForm post={post} act={act} onEnd={endEditing} /> : <PostText text={post.text} />}
      {score !== null && explain && <Score score={score} explain={explain} scale={scale} />}
      {note}
      <Actions post={post} act={act}>
        {own && (
          <OwnActions
            post={post}
            act={act}
            editing={editing}
            onEdit={() => (editing ? endEditing() : setEditing(true))}
          />
        )}
      </Actions>
    </article>
  );
}

function PostText({ text }: { text: string }) {
  const [open, setOpen] = useState(false);
  const folded = !open && text.length > foldedLength;
  return (
    <>
      <p class={folded ? "text text-folded" : "text"} dir="auto">
        {text}
      </p>
      {folded && (
        <button type="button" class="quiet" onClick={() => setOpen(true)}>
          Show all
        </button>
      )}
    </>
  );
}

function MoveHint({ move }: { move: Move | undefined }) {
  if (move === undefined) return null;
  if (move === "new") return <span class="move move-up">new</span>;
  const places = plural(Math.abs(move), "place");
  return move > 0 ? (
    <span class="move move-up" role="img" aria-label={`up ${places}`}>
      ▲{move}
    </span>
  ) : (
    <span class="move move-down" role="img" aria-label={`down ${places}`}>
      ▼{-move}
    </span>
  );
}

/** What everybody can do; `children` is what this viewer can do beside it. */
function Actions({ post, act, children }: { post: Post; act: Act; children: ComponentChildren }) {
  const session = useSession();
  const relations = useRelations();
  const author = useUser(post.author_id);
  const [commenting, setCommenting] = useState(false);
  // Not known yet is no state of the button; who presses it then wants to like.
  const liked = relations.likes.get(post.id);

  const like = async () => {
    const pressed = performance.now();
    const shown = (moves: Moves) => {
      session.likeTimes = [...session.likeTimes, (performance.now() - pressed) / 1000].slice(-barPlaces);
      return movedNotice(post.id, moves.get(post.id), !liked);
    };
    await act(() => relations.setLike(post.id, !liked), shown);
  };
  const share = async () => {
    session.events.track("share", post.id);
    const { problem } = await session.events.flush();
    if (problem)
      throw new Problem(problem.status, problem.code, `Not counted yet, it will be sent again. ${problem.detail}`);
  };

  return (
    <>
      <footer class="actions">
        <button
          type="button"
          class="act act-like"
          aria-pressed={liked}
          aria-label={`Like, ${plural(post.likes, "like")}`}
          onClick={() => void like()}
        >
          <Icon name="like" filled={liked === true} /> <b>{shortCount(post.likes)}</b>
        </button>
        <button
          type="button"
          class="act act-comment"
          aria-expanded={commenting}
          aria-label={`Comments, ${plural(post.comments, "comment")}`}
          onClick={() => setCommenting((open) => !open)}
        >
          <Icon name="comment" /> <b>{shortCount(post.comments)}</b>
        </button>
        <button
          type="button"
          class="act act-share"
          aria-label={`Share, ${plural(post.shares, "share")}`}
          onClick={() => void act(share, "Shared.")}
        >
          <Icon name="share" /> <b>{shortCount(post.shares)}</b>
        </button>
        <small class="seen">{plural(post.impressions, "impression")}</small>
        <FollowButton id={post.author_id} user={author} act={act} />
        {children}
      </footer>
      {commenting && <Comments post={post} act={act} />}
    </>
  );
}
