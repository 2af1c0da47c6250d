// The comments under one post, newest first, and a form for another.
import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import type { Act } from "../act";
import type { Comment, Page, Post } from "../api";
import { timeAgo } from "../format";
import { useSession, useUser } from "../session";
import { Icon } from "./icons";
import { Avatar, NameLink } from "./person";
import { TextForm } from "./text_form";

const pageSize = 10;

export function Comments({ post: { id: postId, author_id: author }, act }: { post: Post; act: Act }) {
  const { api, viewer, report, confirm } = useSession();
  const [page, setPage] = useState<Page<Comment> | null>(null);
  const section = useRef<HTMLElement>(null);

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

  const remove = async ({ id }: Comment) => {
    const sure = await confirm({
      title: "Delete this comment?",
      text: "It goes for everybody, and cannot be brought back.",
      button: "Delete the comment",
    });
    if (!sure) return;
    const done = await act(async () => {
      await api.deleteComment(id);
      setPage((now) => now && { ...now, elements: now.elements.filter((comment) => comment.id !== id) });
    }, "The comment is deleted.");
    if (done) section.current?.focus();
  };

  return (
    <section class="comments" aria-label="Comments" ref={section} tabIndex={-1}>
      <TextForm label="Write a comment" button="Comment" onSubmit={send} />
      <ol>
        {page?.elements.map((comment) => (
          <CommentLine
            key={comment.id}
            comment={comment}
            now={api.now()}
            onDelete={viewer.id === comment.user_id || viewer.id === author ? () => void remove(comment) : null}
          />
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

interface LineProps {
  comment: Comment;
  now: number;
  /** Null for whom the comment is not to delete. */
  onDelete: (() => void) | null;
}

function CommentLine({ comment, now, onDelete }: LineProps) {
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
      {onDelete && (
        <button type="button" class="round" aria-label="Delete the comment" title="Delete" onClick={onDelete}>
          <Icon name="remove" />
        </button>
      )}
    </li>
  );
}
