// A list on the page: its elements, the walk that scrolling continues, and how the list changed.
import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import type { Page } from "./api";
import { useHere } from "./route";

/** Places gained (positive) or lost since the list was read before; "new" for what was not in it. */
export type Move = number | "new";
export type Moves = ReadonlyMap<string, Move>;

export interface Walk<T, P extends Page<T>> {
  elements: T[];
  /** What came last: where the walk goes on, and what the server said beside the elements. */
  last: P;
  moves: Moves;
}

export interface List<T, P extends Page<T>> {
  walk: Walk<T, P> | null;
  loading: boolean;
  /** Why the list could not be read or continued; null where it could. */
  problem: unknown;
  /** Reads the next page; the first one where there is none yet. */
  more: () => Promise<void>;
  /** Reads the list again from its top, as long as it is now, and tells what moved. Throws where that fails. */
  reread: () => Promise<Moves>;
}

/** What reads pages: at most `limit` elements, behind the cursor of the page before. */
export type Read<P> = (limit: number, cursor: string | null) => Promise<P>;

const pageSize = 20;
const maxLimit = 100;
const noMoves: Moves = new Map();

export function movesBetween(before: readonly string[], after: readonly string[]): Moves {
  const places = new Map(before.map((id, place) => [id, place]));
  const moves = new Map<string, Move>();
  after.forEach((id, place) => {
    const old = places.get(id);
    if (old === undefined) moves.set(id, "new");
    else if (old !== place) moves.set(id, old - place);
  });
  return moves;
}

/** A walk from the top, of at least so many elements where there are that many. */
async function readFromTop<T, P extends Page<T>>(read: Read<P>, length: number): Promise<Walk<T, P>> {
  let last = await read(Math.min(length, maxLimit), null);
  const elements = [...last.elements];
  while (last.next_cursor && elements.length < length) {
    last = await read(Math.min(length - elements.length, maxLimit), last.next_cursor);
    elements.push(...last.elements);
  }
  return { elements, last, moves: noMoves };
}

/**
 * `name` tells the lists of a place apart: who comes back to the place finds the list as it was. `read` and `idOf` are
 * those of the first call: a list that reads something else is another component (`key`).
 */
export function useWalk<T, P extends Page<T>>(name: string, read: Read<P>, idOf: (element: T) => string): List<T, P> {
  const { place } = useHere();
  const [walk, setWalk] = useState(() => (place.kept.get(name) as Walk<T, P> | undefined) ?? null);
  const [loading, setLoading] = useState(walk === null);
  const [problem, setProblem] = useState<unknown>(null);
  const source = useRef({ read, idOf });
  const current = useRef(walk);
  // An answer counts only if no later request was made: a slow one must not overwrite what came after it.
  const latest = useRef(0);

  const load = useCallback(
    async (make: () => Promise<Walk<T, P>>): Promise<Moves> => {
      const request = ++latest.current;
      setLoading(true);
      setProblem(null);
      try {
        const next = await make();
        if (request !== latest.current) return noMoves;
        current.current = next;
        place.kept.set(name, next);
        setWalk(next);
        return next.moves;
      } finally {
        if (request === latest.current) setLoading(false);
      }
    },
    [place, name],
  );

  const more = useCallback(async () => {
    const { read: readPage } = source.current;
    const before = current.current;
    if (before && !before.last.next_cursor) return;
    await load(async () => {
      if (!before) return readFromTop<T, P>(readPage, pageSize);
      const last = await readPage(pageSize, before.last.next_cursor);
      return { elements: [...before.elements, ...last.elements], last, moves: before.moves };
    }).catch(setProblem);
  }, [load]);

  const reread = useCallback(async () => {
    const { read: readPage, idOf: id } = source.current;
    const before = current.current?.elements ?? [];
    return load(async () => {
      const made = await readFromTop<T, P>(readPage, Math.max(pageSize, before.length));
      return { ...made, moves: movesBetween(before.map(id), made.elements.map(id)) };
    });
  }, [load]);

  useEffect(() => {
    if (!current.current) void more();
  }, [more]);

  return { walk, loading, problem, more, reread };
}
