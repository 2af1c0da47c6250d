// What stands beside a view where the window is wide enough.
import type { ComponentChildren } from "preact";
import { PipelineBox } from "./pipeline_box";
import { SuggestedBox } from "./suggested";

interface Props {
  /** Somebody suggested was followed: the view may have more to show. */
  onFollowed?: () => void;
  children?: ComponentChildren;
}

export function Aside({ onFollowed = () => {}, children }: Props) {
  return (
    <aside class="aside" aria-label="Beside the view">
      <SuggestedBox onFollowed={onFollowed} />
      <PipelineBox />
      {children}
    </aside>
  );
}
