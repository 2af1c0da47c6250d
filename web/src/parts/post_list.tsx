// A list of posts: cards that glide to their new places, keys to go through them, and the list's foot.
import type { ComponentChildren } from "preact";
import type { Act } from "../act";
import type { Page } from "../api";
import { useSession } from "../session";
import type { List } from "../walk";
import { FlipList } from "./flip_list";
import { type Entry, PostCard } from "./post_card";
import { Failed, ListFoot, Skeletons } from "./states";

interface Props<T extends Entry> {
  label: string;
  list: List<T, Page<T>>;
  act: Act;
  /** The instant that ages are told for. */
  now: number;
  empty: ComponentChildren;
  numbered?: boolean;
  /** Each tells why it is in the list. */
  sourced?: boolean;
  /** What is told about each of them beside its score. */
  noteOf?: (entry: T) => ComponentChildren;
}

/** The card that holds the focus, and what a key does from there: J and K go through the cards, L likes. */
function handleKey(event: KeyboardEvent): void {
  const target = event.target as HTMLElement;
  if (event.ctrlKey || event.metaKey || event.altKey || target.matches("input, textarea")) return;
  const card = target.closest<HTMLElement>(".post");
  const steps: Record<string, () => void> = {
    j: () => (card?.nextElementSibling as HTMLElement | null)?.focus(),
    k: () => (card?.previousElementSibling as HTMLElement | null)?.focus(),
    l: () => card?.querySelector<HTMLElement>(".act-like")?.click(),
  };
  const step = steps[event.key.toLowerCase()];
  if (!step) return;
  event.preventDefault();
  step();
}

export function PostList<T extends Entry>(props: Props<T>) {
  const { label, list, act, now, empty, numbered = false, sourced = false, noteOf } = props;
  const { walk, loading, problem, more } = list;
  const { viewer } = useSession();
  if (!walk) return problem ? <Failed error={problem} retry={() => void more()} /> : <Skeletons what="posts" />;
  const { elements, last, moves } = walk;
  // All bars share one scale, so that the cards compare.
  const scale = Math.max(0, ...elements.map((entry) => entry.score ?? 0));
  return (
    <>
      <div role="feed" aria-label={label} aria-busy={loading} onKeyDown={handleKey} key={viewer.id}>
        <FlipList order={elements.map((entry) => entry.post.id)}>
          {elements.map((entry, index) => (
            <PostCard
              key={entry.post.id}
              entry={entry}
              place={index + 1}
              all={last.next_cursor ? -1 : elements.length}
              move={moves.get(entry.post.id)}
              scale={scale}
              now={now}
              act={act}
              numbered={numbered}
              sourced={sourced}
              note={noteOf?.(entry)}
            />
          ))}
        </FlipList>
      </div>
      {elements.length === 0 && empty}
      <ListFoot
        length={elements.length}
        more={last.next_cursor ? () => void more() : null}
        loading={loading}
        problem={problem}
      />
    </>
  );
}
