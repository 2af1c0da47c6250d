// A score taken apart: one bar of three terms, and the numbers that made them.
import type { Explanation } from "../api";
import { count, decimal, plural } from "../format";

type TermName = keyof Explanation;

const termNames: TermName[] = ["freshness", "engagement", "affinity"];

const ageOf = (hours: number) => (hours < 48 ? `${hours.toFixed(1)} hours old` : `${(hours / 24).toFixed(1)} days old`);

function originOf(name: TermName, explain: Explanation): string {
  switch (name) {
    case "freshness":
      return ageOf(explain.freshness.age_hours);
    case "engagement": {
      const { likes, comments, shares, impressions } = explain.engagement;
      return `${plural(likes, "like")}, ${plural(comments, "comment")}, ${plural(shares, "share")} in ${plural(impressions, "impression")}`;
    }
    case "affinity":
      return `${plural(explain.affinity.interactions, "interaction")} of yours with the author`;
  }
}

interface Props {
  score: number;
  explain: Explanation;
  /** The score that fills the whole width. */
  scale: number;
}

export function Score({ score, explain, scale }: Props) {
  const percent = (name: TermName) => (scale > 0 ? (100 * Math.max(0, explain[name].term)) / scale : 0);
  const spoken = termNames.map((name) => `${name} ${decimal(explain[name].term)}`).join(", ");
  return (
    <details class="score">
      <summary>
        <span class="score-value">
          <span class="hidden">Score </span>
          {decimal(score)}
        </span>
        <span class="bar" role="img" aria-label={`made of ${spoken}`}>
          {termNames.map((name) => (
            <span key={name} class={`part part-${name}`} style={{ width: `${percent(name)}%` }}>
              <span class="part-value">{decimal(explain[name].term)}</span>
            </span>
          ))}
        </span>
      </summary>
      <table class="terms">
        <thead class="hidden">
          <tr>
            <th>Term</th>
            <th>Weight × value</th>
            <th>Adds</th>
            <th>From</th>
          </tr>
        </thead>
        <tbody>
          {termNames.map((name) => (
            <tr key={name}>
              <th scope="row">
                <span class={`dot part-${name}`} aria-hidden="true" /> {name}
              </th>
              <td>
                {explain[name].weight.toFixed(2)} × {decimal(explain[name].value)}
              </td>
              <td>{decimal(explain[name].term)}</td>
              <td class="origin">{originOf(name, explain)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </details>
  );
}

/** A score that comes without its parts. */
export function ScoreMeter({ score, scale }: { score: number; scale: number }) {
  return (
    <div class="score-meter">
      <span class="score-value">
        <span class="hidden">Score </span>
        {decimal(score)}
      </span>
      <span class="bar" aria-hidden="true">
        <span class="part part-whole" style={{ width: `${scale > 0 ? (100 * Math.max(0, score)) / scale : 0}%` }} />
      </span>
    </div>
  );
}

export function ScoreLegend() {
  return (
    <ul class="legend">
      <li>
        <span class="dot part-freshness" aria-hidden="true" /> <b>freshness</b> halves about every 7 hours
      </li>
      <li>
        <span class="dot part-engagement" aria-hidden="true" /> <b>engagement</b> likes, comments (twice) and shares
        (three times) for each impression
      </li>
      <li>
        <span class="dot part-affinity" aria-hidden="true" /> <b>affinity</b> how often you reacted to the author in{" "}
        {count(90)} days
      </li>
    </ul>
  );
}
