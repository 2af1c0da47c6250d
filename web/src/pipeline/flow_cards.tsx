// What flows: the log, what follows it, likes on their way to the feed, questions to the cache.
import type { Pipeline } from "../api";
import { count, duration, percent, plural } from "../format";
import { useSession } from "../session";
import { BarChart, LineChart } from "./chart";
import { FigureCard } from "./figure_card";
import { askedCache, hitCache, hitRate, logRates, pointsOf, quantile, ratesOf } from "./figures";

export interface CardProps {
  samples: readonly Pipeline[];
  last: Pipeline;
}

const perSecond = (value: number): string => `${Number(value.toPrecision(2))}/s`;

export function LagCard({ samples, last }: CardProps) {
  const ofIndex = last.index.lag_seconds;
  const ofWarehouse = last.warehouse?.lag_seconds ?? null;
  const series = [
    { name: "index", points: pointsOf(samples, ({ index }) => index.lag_seconds) },
    { name: "warehouse", points: pointsOf(samples, ({ warehouse }) => warehouse?.lag_seconds ?? null) },
  ];
  const spoken = `index ${duration(ofIndex)}${ofWarehouse === null ? "" : `, warehouse ${duration(ofWarehouse)}`}`;
  return (
    <FigureCard
      name="lag"
      title="Log lag"
      value={duration(Math.max(ofIndex, ofWarehouse ?? 0))}
      meaning={
        <>
          <span class="key series-0">index {duration(ofIndex)}</span>
          {ofWarehouse !== null && <span class="key series-1">warehouse {duration(ofWarehouse)}</span>}
        </>
      }
    >
      <LineChart
        label={`Log lag over two minutes, now ${spoken}`}
        series={series}
        now={last.at}
        format={duration}
        least={1}
      />
    </FigureCard>
  );
}

export function LikeCard({ last: { likes } }: CardProps) {
  const { likeTimes } = useSession();
  const own = likeTimes.at(-1);
  const p95 = quantile(likes, 0.95);
  return (
    <FigureCard
      name="likes"
      title="Like → feed"
      value={own === undefined ? (p95 === null ? "–" : duration(p95)) : duration(own)}
      meaning={
        <>
          {own === undefined
            ? "Like a post to see how long it takes here. "
            : "Your last like, from the press to the new feed. "}
          {p95 === null
            ? "Nobody has liked anything since the server started."
            : `On the server: ${plural(likes.count, "like")}, P95 ${duration(p95)}.`}
        </>
      }
    >
      {likeTimes.length > 0 && (
        <BarChart
          label={`How long your last ${plural(likeTimes.length, "like")} took`}
          values={likeTimes}
          format={duration}
        />
      )}
    </FigureCard>
  );
}

export function LogCard({ samples, last }: CardProps) {
  const rates = logRates(samples);
  const now = rates.at(-1)?.[1] ?? 0;
  return (
    <FigureCard
      name="log"
      title="Log"
      value={perSecond(now)}
      meaning={`${count(last.log.changes)} changes and ${count(last.log.events)} events so far`}
    >
      <LineChart
        label={`Entries written to the log over two minutes, now ${perSecond(now)}`}
        series={[{ name: "entries", points: rates }]}
        now={last.at}
        format={perSecond}
      />
    </FigureCard>
  );
}

export function CacheCard({ samples, last }: CardProps) {
  const rate = hitRate(last.cache);
  if (rate === null) {
    return <FigureCard name="cache" title="Cache hits" value="–" meaning="Nothing has been asked of the cache yet." />;
  }
  const series = [
    { name: "asked", points: ratesOf(pointsOf(samples, askedCache)) },
    { name: "hits", points: ratesOf(pointsOf(samples, hitCache)) },
  ];
  const used = last.cache.filter(({ hits, misses }) => hits + misses > 0);
  return (
    <FigureCard
      name="cache"
      title="Cache hits"
      value={percent(rate)}
      meaning={
        <>
          {used.map(({ kind, hits, misses }) => (
            <span key={kind} class="use">
              {kind} {count(hits)} of {count(hits + misses)}
            </span>
          ))}
          <span class="key series-0">asked</span>
          <span class="key series-1">hits</span>
        </>
      }
    >
      <LineChart
        label={`Questions to the cache over two minutes; of all so far ${percent(rate)} were hits`}
        series={series}
        now={last.at}
        format={perSecond}
      />
    </FigureCard>
  );
}
