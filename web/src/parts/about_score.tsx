// How a score is made, and what the server said about this answer.
import type { FeedFacts } from "../api";
import { clockTime } from "../format";
import { ScoreLegend } from "./score";

const degradedMeanings: Record<string, string> = {
  behind: "your last action may not show yet",
  stale: "some numbers are older than they should be",
  booting: "the server is still starting",
};

export function AboutScore() {
  return (
    <>
      <p>
        <b class="formula">0.30 × freshness + 0.40 × engagement + 0.30 × affinity</b>
      </p>
      <ScoreLegend />
      <p>Press a bar to see its numbers. Like, share or follow, and watch the posts move.</p>
      <p class="keys">
        On a post: <kbd>J</kbd> next, <kbd>K</kbd> previous, <kbd>L</kbd> like.
      </p>
    </>
  );
}

export function Facts({ facts }: { facts: FeedFacts }) {
  return (
    <dl class="facts">
      <dt>As of</dt>
      <dd>{clockTime(facts.as_of)}</dd>
      <dt>Trending as of</dt>
      <dd>{clockTime(facts.trending_as_of)}</dd>
      <dt>Profile</dt>
      <dd>
        {facts.profile}, {facts.engine}
      </dd>
      {facts.degraded.map((name) => [
        <dt key={name}>Degraded</dt>,
        <dd key={`${name}-meaning`}>{degradedMeanings[name] ?? `the source “${name}” failed or was late`}</dd>,
      ])}
    </dl>
  );
}
