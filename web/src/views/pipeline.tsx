// How the pipeline does: the log and what follows it, likes on their way to the feed, cache, warehouse, jobs.
import { messageOf, Skeletons } from "../parts/states";
import { ViewHead } from "../parts/view";
import {
  CacheCard,
  type CardProps,
  IndexLagCard,
  LogCard,
  PageLikesCard,
  ServerLikesCard,
  WarehouseLagCard,
} from "../pipeline/flow_cards";
import { JobsCard } from "../pipeline/jobs_card";
import { WarehouseCard } from "../pipeline/warehouse_card";
import { usePipeline } from "../pipeline/use_pipeline";

export function PipelineView() {
  const { samples, problem } = usePipeline();
  const last = samples.at(-1);
  return (
    <main class="main main-wide" id="view" tabIndex={-1}>
      <ViewHead title="Pipeline">
        <p class="lead">
          Every write goes through the log into the index, which feeds are made from, and into the warehouse behind it.
        </p>
      </ViewHead>
      {problem !== null && (
        <p class="card unavailable" role="status">
          {last ? "No news at the moment: " : ""}
          {messageOf(problem)}
        </p>
      )}
      {!last && problem === null && <Skeletons what="the state of the pipeline" />}
      {last && <Charts samples={samples} last={last} />}
    </main>
  );
}

function Charts(props: CardProps) {
  return (
    <div class="figures">
      <IndexLagCard {...props} />
      <WarehouseLagCard {...props} />
      <ServerLikesCard {...props} />
      <PageLikesCard />
      <LogCard {...props} />
      <CacheCard {...props} />
      <WarehouseCard {...props} />
      <JobsCard jobs={props.last.jobs} />
    </div>
  );
}
