// How the order of a feed comes about, and what the server said about this answer.
import type { FeedFacts, FeedMode } from "../api";
import { clockTime } from "../format";
import { ScoreLegend } from "./score";

const degradedMeanings: Record<string, string> = {
  behind: "your last action may not show yet",
  stale: "some numbers are older than they should be",
  booting: "the server is still starting",
};

export function AboutOrder({ mode }: { mode: FeedMode }) {
  return (
    <>
      {mode === "for_you" ? (
        <AboutScore />
      ) : (
        <p>
          <b class="formula">Newest first.</b> Everything that those whom you follow posted in the last 30 days; nothing
          is scored.
        </p>
      )}
      <p class="keys">
        On a post: <kbd>J</kbd> next, <kbd>K</kbd> previous, <kbd>L</kbd> like.
      </p>
    </>
  );
}

function AboutScore() {
  return (
    <>
      <p>
        <b class="formula">0.30 × freshness + 0.40 × engagement + 0.30 × affinity</b>
      </p>
      <ScoreLegend />
      <p>Press a bar to see its numbers. Like, share or follow, and watch the posts move.</p>
    </>
  );
}

export function Facts({ facts, mode }: { facts: FeedFacts; mode: FeedMode }) {
  return (
    <dl class="facts">
      <dt>As of</dt>
      <dd>{clockTime(facts.as_of)}</dd>
      {mode === "for_you" && (
        <>
          <dt>Trending as of</dt>
          <dd>{clockTime(facts.trending_as_of)}</dd>
          <dt>Profile</dt>
          <dd>
            {facts.profile}, {facts.engine}
          </dd>
        </>
      )}
      {facts.degraded.map((name) => [
        <dt key={name}>Degraded</dt>,
        <dd key={`${name}-meaning`}>{degradedMeanings[name] ?? `the source “${name}” failed or was late`}</dd>,
      ])}
    </dl>
  );
}
