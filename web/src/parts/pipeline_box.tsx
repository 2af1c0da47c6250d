// The pipeline in a few lines, beside the feed: what moves when the viewer likes something.
import { duration, percent } from "../format";
import { hitRate, quantile } from "../pipeline/figures";
import { usePipeline } from "../pipeline/use_pipeline";
import { hrefOf } from "../route";
import { useSession } from "../session";

/** Nothing for who may not see it: nobody asks for them. */
export function PipelineBox() {
  return useSession().seesPipeline ? <Box /> : null;
}

function Box() {
  const { likeTimes } = useSession();
  const last = usePipeline().samples.at(-1);
  if (!last) return null;
  const ofServer = quantile(last.likes, 0.95);
  const ofPage = likeTimes.at(-1);
  const hits = hitRate(last.cache);
  return (
    <section class="card pipeline-box" aria-label="Pipeline">
      <h2>Pipeline</h2>
      <dl class="facts">
        <dt>Index lag</dt>
        <dd>{duration(last.index.lag_seconds)}</dd>
        {last.warehouse && (
          <>
            <dt>Warehouse lag</dt>
            <dd>{duration(last.warehouse.lag_seconds)}</dd>
          </>
        )}
        <dt>Like → feed, server</dt>
        <dd>{ofServer === null ? "–" : duration(ofServer)}</dd>
        <dt>Like → feed, page</dt>
        <dd>{ofPage === undefined ? "–" : duration(ofPage)}</dd>
        <dt>Cache hits</dt>
        <dd>{hits === null ? "–" : percent(hits)}</dd>
      </dl>
      <a class="more-link" href={hrefOf({ view: "pipeline" })}>
        Show charts
      </a>
    </section>
  );
}
