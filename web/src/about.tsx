// Beside the feed: how a score is made, and what the server said about this answer.
import type { FeedFacts } from "./feed";
import { ScoreLegend } from "./score";

const clock = (at: number) => new Date(at).toLocaleTimeString();

const degradedMeanings: Record<string, string> = {
  behind: "your last action may not show yet",
  stale: "some numbers are older than they should be",
  booting: "the server is still starting",
};

export function About({ facts }: { facts: FeedFacts | null }) {
  return (
    <aside class="about panel" aria-label="About this feed">
      <h2>How the order comes about</h2>
      <p>
        Score = 0.30 × freshness + 0.40 × engagement + 0.30 × affinity. Press a bar to see the numbers; like, share or
        follow, and watch the posts move.
      </p>
      <ScoreLegend />
      {facts && (
        <dl class="facts">
          <dt>As of</dt>
          <dd>{clock(facts.as_of)}</dd>
          <dt>Trending as of</dt>
          <dd>{clock(facts.trending_as_of)}</dd>
          <dt>Profile</dt>
          <dd>
            {facts.profile}, {facts.engine}
          </dd>
          {facts.degraded.map((name) => [
            <dt key={name}>Degraded</dt>,
            <dd key={`${name}-meaning`}>{degradedMeanings[name] ?? `the source “${name}” failed or was late`}</dd>,
          ])}
        </dl>
      )}
      <p>
        <a href="/docs">The API of this server</a>
      </p>
    </aside>
  );
}
