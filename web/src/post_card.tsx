// One post with its place in the feed explained, and what a viewer can do about it.
import { useEffect, useRef, useState } from "preact/hooks";
import type { Source } from "./api";
import { Problem } from "./api";
import { Comments } from "./comments";
import type { Entry, Move } from "./feed";
import { count, plural, timeAgo } from "./format";
import type { Impressions } from "./impressions";
import { Avatar, Name } from "./person";
import type { Relations } from "./relations";
import { Score } from "./score";
import { useSession, useUser } from "./session";

export type Act = (action: () => Promise<unknown>, done?: string) => Promise<void>;

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
  move: Move | undefined;
  scale: number;
  now: number;
  relations: Relations;
  impressions: Impressions;
  act: Act;
}

export function PostCard({ entry, move, scale, now, relations, impressions, act }: Props) {
  const { post, source, score, explain } = entry;
  const { viewer } = useSession();
  const author = useUser(post.author_id);
  const card = useRef<HTMLElement>(null);
  const own = post.author_id === viewer.id;
  useEffect(() => (own ? undefined : impressions.watch(card.current!, post.id)), [impressions, post.id, own]);

  return (
    <article class="card" ref={card} data-post={post.id}>
      <header class="card-head">
        <Avatar id={post.author_id} name={author?.name || author?.handle || "?"} />
        <span class="who">
          <Name user={author} />
          <time dateTime={new Date(post.created_at).toISOString()} title={new Date(post.created_at).toLocaleString()}>
            {timeAgo(post.created_at, now)}
          </time>
        </span>
        <span class="badges">
          <MoveHint move={move} />
          {source && (
            <span class={`source source-${source}`} title={sourceLabels[source][1]}>
              {sourceLabels[source][0]}
            </span>
          )}
        </span>
      </header>
      <PostText text={post.text} />
      {score !== null && explain && <Score score={score} explain={explain} scale={scale} />}
      <Actions entry={entry} own={own} relations={relations} act={act} />
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

interface ActionsProps {
  entry: Entry;
  own: boolean;
  relations: Relations;
  act: Act;
}

function Actions({ entry: { post }, own, relations, act }: ActionsProps) {
  const { events } = useSession();
  const [commenting, setCommenting] = useState(false);
  const liked = relations.likes.has(post.id);
  const followed = relations.follows?.has(post.author_id) ?? false;
  const share = async () => {
    events.track("share", post.id);
    const { problem } = await events.flush();
    if (problem) throw new Problem(problem.status, problem.code, `Not counted yet, it will be sent again. ${problem.detail}`);
  };

  return (
    <>
      <footer class="actions">
        <button
          type="button"
          class="act act-like"
          aria-pressed={liked}
          onClick={() => void act(() => relations.setLike(post.id, !liked))}
        >
          <span aria-hidden="true">{liked ? "♥" : "♡"}</span> {liked ? "Liked" : "Like"} <b>{count(post.likes)}</b>
        </button>
        <button
          type="button"
          class="act"
          aria-expanded={commenting}
          onClick={() => setCommenting((open) => !open)}
        >
          Comment <b>{count(post.comments)}</b>
        </button>
        <button type="button" class="act" onClick={() => void act(share)}>
          Share <b>{count(post.shares)}</b>
        </button>
        {!own && relations.follows && (
          <button
            type="button"
            class="act act-follow"
            aria-pressed={followed}
            onClick={() => void act(() => relations.setFollow(post.author_id, !followed))}
          >
            {followed ? "Unfollow" : "Follow"}
          </button>
        )}
        <small class="seen">{plural(post.impressions, "impression")}</small>
      </footer>
      {commenting && <Comments postId={post.id} act={act} />}
    </>
  );
}
