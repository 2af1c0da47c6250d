// What a viewer can do about a post of their own.
import type { Act } from "../act";
import type { Post } from "../api";
import { useSession } from "../session";
import { Icon } from "./icons";
import { TextForm } from "./text_form";

interface ActionsProps {
  post: Post;
  act: Act;
  editing: boolean;
  onEdit: () => void;
}

/** The next card, else the one before it; who goes on by keyboard goes on there when this card is gone. */
const neighbourOf = (card: Element): Element | null => card.nextElementSibling ?? card.previousElementSibling;

export function OwnActions({ post, act, editing, onEdit }: ActionsProps) {
  const { api, confirm } = useSession();
  const remove = async (card: Element) => {
    const sure = await confirm({
      title: "Delete this post?",
      text: "It goes from every feed at once, with its comments and likes, and cannot be brought back.",
      button: "Delete the post",
    });
    if (!sure) return;
    const neighbour = neighbourOf(card);
    if (!(await act(() => api.deletePost(post.id), "The post is deleted."))) return;
    const next = neighbour?.isConnected ? neighbour : document.getElementById("view");
    (next as HTMLElement | null)?.focus();
  };
  return (
    <span class="own-actions">
      <button
        type="button"
        class="round act-edit"
        aria-label="Edit the post"
        title="Edit"
        aria-expanded={editing}
        onClick={onEdit}
      >
        <Icon name="edit" />
      </button>
      <button
        type="button"
        class="round act-delete"
        aria-label="Delete the post"
        title="Delete"
        onClick={(event) => void remove(event.currentTarget.closest(".post")!)}
      >
        <Icon name="remove" />
      </button>
    </span>
  );
}

/** In the place of the text. */
export function EditForm({ post, act, onEnd }: { post: Post; act: Act; onEnd: () => void }) {
  const { api } = useSession();
  const save = async (text: string) => {
    const saved = await act(() => api.editPost(post.id, text), "The post is changed.");
    if (saved) onEnd();
    return saved;
  };
  return <TextForm label="Edit the post" button="Save" before={post.text} onSubmit={save} onCancel={onEnd} />;
}
