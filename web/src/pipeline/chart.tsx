// Small charts over time: lines on one scale that begins at 0, or single marks.
import { niceCeiling, type Point } from "./figures";

const width = 320;
const height = 96;
const spanMs = 120_000;

export interface Series {
  name: string;
  points: readonly Point[];
}

type Scale = (point: Point) => readonly [x: number, y: number];

/** The last two minutes are as wide as the chart. */
function scaleOf(now: number, top: number): Scale {
  return ([at, value]) => [width * (1 - (now - at) / spanMs), height - (height * Math.min(value, top)) / top];
}

const pathOf = (points: readonly Point[], scale: Scale): string =>
  points
    .map(
      (point, place) =>
        `${place ? "L" : "M"}${scale(point)
          .map((one) => one.toFixed(1))
          .join(" ")}`,
    )
    .join("");

function areaOf(points: readonly Point[], scale: Scale): string {
  if (points.length < 2) return "";
  const [from] = scale(points[0]!);
  const [to] = scale(points.at(-1)!);
  return `${pathOf(points, scale)}L${to.toFixed(1)} ${height}L${from.toFixed(1)} ${height}Z`;
}

interface Props {
  /** What a screen reader says instead. */
  label: string;
  series: readonly Series[];
  now: number;
  format: (value: number) => string;
  /** The least that the scale reaches up to. */
  least?: number;
}

export function LineChart({ label, series, now, format, least = 0 }: Props) {
  const shown = series.map(({ name, points }) => ({ name, points: points.filter(([at]) => now - at <= spanMs) }));
  const top = niceCeiling(Math.max(least, ...shown.flatMap(({ points }) => points.map(([, value]) => value))));
  const scale = scaleOf(now, top);
  return (
    <figure class="chart">
      <svg viewBox={`0 0 ${width} ${height}`} preserveAspectRatio="none" role="img" aria-label={label}>
        <path class="grid" d={`M0 1H${width}M0 ${height / 2}H${width}M0 ${height - 1}H${width}`} />
        {shown.map(({ name, points }, place) => (
          <g key={name} class={`series series-${place}`}>
            <path class="area" d={areaOf(points, scale)} />
            <path class="line" d={pathOf(points, scale)} />
          </g>
        ))}
      </svg>
      <span class="chart-top" aria-hidden="true">
        {format(top)}
      </span>
      <figcaption aria-hidden="true">
        <span>2 min ago</span>
        <span>now</span>
      </figcaption>
    </figure>
  );
}

/** How many values a bar chart has room for. */
export const barPlaces = 24;

/** Values one after the other, the last one at the right; at most `barPlaces`. */
export function BarChart({
  label,
  values,
  format,
}: {
  label: string;
  values: readonly number[];
  format: Props["format"];
}) {
  const top = niceCeiling(Math.max(0, ...values));
  const step = width / barPlaces;
  return (
    <figure class="chart">
      <svg viewBox={`0 0 ${width} ${height}`} preserveAspectRatio="none" role="img" aria-label={label}>
        <path class="grid" d={`M0 1H${width}M0 ${height / 2}H${width}M0 ${height - 1}H${width}`} />
        {values.map((value, place) => {
          const tall = Math.max(2, (height * value) / top);
          const x = width - (values.length - place) * step + step * 0.15;
          return <rect key={place} class="column" x={x} y={height - tall} width={step * 0.7} height={tall} rx="2" />;
        })}
      </svg>
      <span class="chart-top" aria-hidden="true">
        {format(top)}
      </span>
    </figure>
  );
}
