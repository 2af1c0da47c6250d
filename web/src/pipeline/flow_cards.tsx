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

interface LagProps extends CardProps {
  of: "Index" | "Warehouse";
  read: (sample: Pipeline) => number | null;
  meaning: string;
}

function LagCard({ samples, last, of, read, meaning }: LagProps) {
  const lag = read(last);
  const value = lag === null ? "off" : duration(lag);
  return (
    <FigureCard name={`${of.toLowerCase()}-lag`} title={`${of} lag`} value={value} meaning={meaning}>
      {lag !== null && (
        <LineChart
          label={`${of} lag over two minutes, now ${value}`}
          series={[{ name: of, points: pointsOf(samples, read) }]}
          now={last.at}
          format={duration}
          least={1}
        />
      )}
    </FigureCard>
  );
}

export function IndexLagCard(props: CardProps) {
  const meaning = "How far the index is behind the log: the age of the counters that feeds are made with.";
  return <LagCard {...props} of="Index" read={({ index }) => index.lag_seconds} meaning={meaning} />;
}

export function WarehouseLagCard(props: CardProps) {
  const meaning = props.last.warehouse
    ? "How far the warehouse is behind the log: the age of the oldest entry that it lacks. The index does not wait for it."
    : "This server runs without a warehouse.";
  const read = ({ warehouse }: Pipeline) => warehouse?.lag_seconds ?? null;
  return <LagCard {...props} of="Warehouse" read={read} meaning={meaning} />;
}

const likeP95 = ({ likes }: Pipeline): number | null => quantile(likes, 0.95);

export function ServerLikesCard({ samples, last }: CardProps) {
  const p95 = likeP95(last);
  const told = p95 === null ? "not known" : duration(p95);
  return (
    <FigureCard
      name="likes-server"
      title="Like → feed, seen by the server"
      value={p95 === null ? "–" : duration(p95)}
      meaning={
        <>
          From the commit of a like until feeds count it; 95 % take no longer.{" "}
          {p95 === null
            ? "Nobody has liked anything since the server started."
            : `${plural(last.likes.count, "like")} since the server started.`}
        </>
      }
    >
      <LineChart
        label={`Like to feed on the server over two minutes, P95 now ${told}`}
        series={[{ name: "P95", points: pointsOf(samples, likeP95) }]}
        now={last.at}
        format={duration}
      />
    </FigureCard>
  );
}

export function PageLikesCard() {
  const { likeTimes } = useSession();
  const own = likeTimes.at(-1);
  return (
    <FigureCard
      name="likes-page"
      title="Like → feed, seen by this page"
      value={own === undefined ? "–" : duration(own)}
      meaning={
        <>
          From your press of the heart until this page shows the new feed: the write, the feed, and the way to the
          server and back. {own === undefined && "Like a post to see it."}
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
