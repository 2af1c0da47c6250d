// Doing what the viewer asked for, and showing what became of the list.
import { useCallback } from "preact/hooks";
import { plural } from "./format";
import { type Session, useSession } from "./session";
import type { Move, Moves } from "./walk";

/** `told` is what the viewer is told when it is done; with a function, from what moved. True where it is done. */
export type Act = (action: () => Promise<unknown>, told?: string | ((moves: Moves) => string)) => Promise<boolean>;

async function run(session: Session, reread: () => Promise<Moves>, ...[action, told = ""]: Parameters<Act>) {
  try {
    await action();
    const moves = await reread();
    session.tell(typeof told === "string" ? told : told(moves));
    return true;
  } catch (error) {
    session.report(error);
    return false;
  }
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
