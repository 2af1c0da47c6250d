// A score taken apart: one bar of three terms, and the numbers that made them.
import type { Explanation, Post, TrendingExplanation } from "../api";
import { count, decimal, plural } from "../format";

/** What a score is made of; the lists that are the same for everybody know no affinity. */
export type Parts = TrendingExplanation & Partial<Explanation>;

interface Term {
  name: keyof Parts;
  value: number;
  weight: number;
  term: number;
  origin: string;
}

const ageOf = (hours: number) => (hours < 48 ? `${hours.toFixed(1)} hours old` : `${(hours / 24).toFixed(1)} days old`);

/** "3 likes, 1 comment, 0 shares in 20 impressions". */
export function countsOf(counts: Pick<Post, "likes" | "comments" | "shares" | "impressions">): string {
  const { likes, comments, shares, impressions } = counts;
  return `${plural(likes, "like")}, ${plural(comments, "comment")}, ${plural(shares, "share")} in ${plural(impressions, "impression")}`;
}

function termsOf({ freshness, engagement, affinity }: Parts): Term[] {
  const terms: Term[] = [
    { name: "freshness", ...freshness, origin: ageOf(freshness.age_hours) },
    { name: "engagement", ...engagement, origin: countsOf(engagement) },
  ];
  if (affinity) {
    const origin = `${plural(affinity.interactions, "interaction")} of yours with the author`;
    terms.push({ name: "affinity", ...affinity, origin });
  }
  return terms;
}

interface Props {
  score: number;
  explain: Parts;
  /** The score that fills the whole width. */
  scale: number;
}

export function Score({ score, explain, scale }: Props) {
  const terms = termsOf(explain);
  const percent = (term: number) => (scale > 0 ? (100 * Math.max(0, term)) / scale : 0);
  const spoken = terms.map(({ name, term }) => `${name} ${decimal(term)}`).join(", ");
  return (
    <details class="score">
      <summary>
        <span class="score-value">
          <span class="hidden">Score </span>
          {decimal(score)}
        </span>
        <span class="bar" role="img" aria-label={`made of ${spoken}`}>
          {terms.map(({ name, term }) => (
            <span key={name} class={`part part-${name}`} style={{ width: `${percent(term)}%` }}>
              <span class="part-value">{decimal(term)}</span>
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
          {terms.map(({ name, weight, value, term, origin }) => (
            <tr key={name}>
              <th scope="row">
                <span class={`dot part-${name}`} aria-hidden="true" /> {name}
              </th>
              <td>
                {weight.toFixed(2)} × {decimal(value)}
              </td>
              <td>{decimal(term)}</td>
              <td class="origin">{origin}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </details>
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
