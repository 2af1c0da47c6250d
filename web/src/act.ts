// Doing what the viewer asked for, and showing what became of the list.
import { useCallback } from "preact/hooks";
import { plural } from "./format";
import { type Notice, type Session, useSession } from "./session";
import type { Move, Moves } from "./walk";

type Told = string | Notice | null | ((moves: Moves) => Notice | null);

/**
 * `told` is what the viewer is told when it is done; a function is called once the list is read again, with what moved.
 * True where it is done, even where the list could not be read after it: nobody should do it twice.
 */
export type Act = (action: () => Promise<unknown>, told?: Told) => Promise<boolean>;

async function run(session: Session, reread: () => Promise<Moves>, ...[action, told = null]: Parameters<Act>) {
  try {
    await action();
  } catch (error) {
    session.report(error);
    return false;
  }
  const moves = await reread().catch(session.report);
  if (typeof told !== "function") session.tell(typeof told === "string" ? { text: told } : told);
  else if (moves) session.tell(told(moves));
  return true;
}

export function useAct(reread: () => Promise<Moves>): Act {
  const session = useSession();
  return useCallback((action, told) => run(session, reread, action, told), [session, reread]);
}

/** What became of the place of a post that was liked, or is no longer; null where it stays. */
export function movedNotice(postId: string, move: Move | undefined, liked: boolean): Notice | null {
  if (move === undefined || move === "new") return null;
  const moved = `The post has moved ${move > 0 ? "up" : "down"} ${plural(Math.abs(move), "place")}.`;
  // Affinity belongs to the author, so that it lifts all of their posts alike.
  const why = liked && move < 0 ? " Your like lifts the author's other posts as well." : "";
  return { text: moved + why, way: { label: "Show it", go: () => showPost(postId) } };
}

function showPost(id: string): void {
  const card = document.querySelector<HTMLElement>(`.post[data-post="${CSS.escape(id)}"]`);
  if (!card) return;
  for (const glide of card.getAnimations()) glide.finish(); // it would be scrolled to where it only passes
  card.scrollIntoView({ block: "center" });
  card.focus({ preventScroll: true });
}
