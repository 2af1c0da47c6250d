// The comments under one post, newest first, and a form for another.
import { useCallback, useEffect, useState } from "preact/hooks";
import type { Act } from "../act";
import type { Comment, Page } from "../api";
import { timeAgo } from "../format";
import { useSession, useUser } from "../session";
import { Avatar, NameLink } from "./person";
import { TextForm } from "./text_form";

const pageSize = 10;

export function Comments({ postId, act }: { postId: string; act: Act }) {
  const { api, report } = useSession();
  const [page, setPage] = useState<Page<Comment> | null>(null);

  const load = useCallback(
    (before: Comment[], cursor: string | null) =>
      api
        .commentsOn(postId, pageSize, cursor)
        .then((next) => setPage({ ...next, elements: [...before, ...next.elements] }), report),
    [api, postId, report],
  );
  useEffect(() => void load([], null), [load]);

  const send = (text: string) =>
    act(async () => {
      await api.comment(postId, text);
      await load([], null);
    }, "Your comment is there.");

  return (
    <section class="comments" aria-label="Comments">
      <TextForm label="Write a comment" button="Comment" onSubmit={send} />
      <ol>
        {page?.elements.map((comment) => (
          <CommentLine key={comment.id} comment={comment} now={api.now()} />
        ))}
      </ol>
      {page?.next_cursor && (
        <button type="button" class="quiet" onClick={() => void load(page.elements, page.next_cursor)}>
          More comments
        </button>
      )}
    </section>
  );
}

function CommentLine({ comment, now }: { comment: Comment; now: number }) {
  const user = useUser(comment.user_id);
  return (
    <li class="comment">
      <Avatar id={comment.user_id} user={user} />
      <div>
        <span class="who">
          <NameLink id={comment.user_id} user={user} />
          <time dateTime={new Date(comment.created_at).toISOString()}>{timeAgo(comment.created_at, now)}</time>
        </span>
        <p class="text" dir="auto">
          {comment.text}
        </p>
      </div>
    </li>
  );
}
