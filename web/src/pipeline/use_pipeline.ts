// The pipeline, for components.
import { useEffect, useState } from "preact/hooks";
import { useSession } from "../session";
import type { PipelineWatch } from "./watch";

/** What is known of the pipeline; the component is drawn again with each answer. */
export function usePipeline(): PipelineWatch {
  const { pipeline } = useSession();
  const [, redraw] = useState(0);
  useEffect(() => pipeline.watch(() => redraw((times) => times + 1)), [pipeline]);
  return pipeline;
}
