// The pipeline in three lines, beside the feed: what moves when the viewer likes something.
import { duration, percent } from "../format";
import { hitRate, quantile } from "../pipeline/figures";
import { usePipeline } from "../pipeline/watch";
import { hrefOf } from "../route";
import { useSession } from "../session";

export function PipelineBox() {
  const { likeTimes } = useSession();
  const last = usePipeline().samples.at(-1);
  if (!last) return null;
  const lag = Math.max(last.index.lag_seconds, last.warehouse?.lag_seconds ?? 0);
  const like = likeTimes.at(-1) ?? quantile(last.likes, 0.95);
  const hits = hitRate(last.cache);
  return (
    <section class="card pipeline-box" aria-label="Pipeline">
      <h2>Pipeline</h2>
      <dl class="facts">
        <dt>Log lag</dt>
        <dd>{duration(lag)}</dd>
        <dt>Like → feed</dt>
        <dd>{like === null ? "–" : duration(like)}</dd>
        <dt>Cache hits</dt>
        <dd>{hits === null ? "–" : percent(hits)}</dd>
      </dl>
      <a class="more-link" href={hrefOf({ view: "pipeline" })}>
        Show charts
      </a>
    </section>
  );
}
