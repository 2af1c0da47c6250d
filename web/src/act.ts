// Doing what the viewer asked for, and showing what became of the list.
import { useCallback } from "preact/hooks";
import { plural } from "./format";
import { type Session, useSession } from "./session";
import type { Move, Moves } from "./walk";

/**
 * `told` is what the viewer is told when it is done; a function is called once the list is read again, with what moved.
 * True where it is done, even where the list could not be read after it: nobody should do it twice.
 */
export type Act = (action: () => Promise<unknown>, told?: string | ((moves: Moves) => string)) => Promise<boolean>;

async function run(session: Session, reread: () => Promise<Moves>, ...[action, told = ""]: Parameters<Act>) {
  try {
    await action();
  } catch (error) {
    session.report(error);
    return false;
  }
  const moves = await reread().catch(session.report);
  if (typeof told === "string") session.tell(told);
  else if (moves) session.tell(told(moves));
  return true;
}

export function useAct(reread: () => Promise<Moves>): Act {
  const session = useSession();
  return useCallback((action, told) => run(session, reread, action, told), [session, reread]);
}

/** What became of a post's place in the list; nothing where it stays. */
export function movedText(move: Move | undefined): string {
  if (move === undefined || move === "new") return "";
  return `The post has moved ${move > 0 ? "up" : "down"} ${plural(Math.abs(move), "place")}.`;
}
