// What the charts show, from the server's answers. Pure.
import type { CacheUse, LikeTimes, LogPoint, Pipeline } from "../api";

/** A moment (milliseconds since 1970), and the value there. */
export type Point = readonly [at: number, value: number];

const entriesIn = ({ changes, events }: LogPoint): number => changes + events;

export const pointsOf = (samples: readonly Pipeline[], read: (sample: Pipeline) => number | null): Point[] =>
  samples.flatMap((sample) => {
    const value = read(sample);
    return value === null ? [] : [[sample.at, value] as const];
  });

/** What a counter has grown by in each second between two samples; a server that was started anew counts from 0. */
export function ratesOf(counts: readonly Point[]): Point[] {
  return counts.slice(1).map(([at, value], place) => {
    const [earlier, before] = counts[place]!;
    const seconds = Math.max(0.001, (at - earlier) / 1000);
    return [at, (value >= before ? value - before : value) / seconds] as const;
  });
}

export const logRates = (samples: readonly Pipeline[]): Point[] =>
  ratesOf(pointsOf(samples, ({ log }) => entriesIn(log)));

/** Null where the engine does not answer, and where there is no warehouse. */
export function rowsOf({ warehouse }: Pipeline): number | null {
  return warehouse?.tables ? warehouse.tables.reduce((sum, { rows }) => sum + rows, 0) : null;
}

/** The value that this share of the observations did not exceed, as exact as its bucket; null without observations. */
export function quantile({ count, buckets }: LikeTimes, share: number): number | null {
  if (count === 0) return null;
  let below = 0;
  let from = 0;
  for (const { at_most_seconds: to, count: upTo } of buckets) {
    if (upTo >= share * count) return from + ((to - from) * (share * count - below)) / (upTo - below);
    [below, from] = [upTo, to];
  }
  return from;
}

/** Of 1; null where nobody asked. */
export function hitRate(uses: readonly CacheUse[]): number | null {
  const hits = uses.reduce((sum, use) => sum + use.hits, 0);
  const asked = uses.reduce((sum, use) => sum + use.hits + use.misses, 0);
  return asked === 0 ? null : hits / asked;
}

export const askedCache = (sample: Pipeline): number =>
  sample.cache.reduce((sum, use) => sum + use.hits + use.misses, 0);
export const hitCache = (sample: Pipeline): number => sample.cache.reduce((sum, use) => sum + use.hits, 0);

/** A round number that is not less: the top of a chart's scale. */
export function niceCeiling(value: number): number {
  if (value <= 0) return 1;
  const power = 10 ** Math.floor(Math.log10(value));
  return power * [1, 2, 5, 10].find((step) => step * power >= value)!;
}
