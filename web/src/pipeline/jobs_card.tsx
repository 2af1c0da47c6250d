// What the server does by itself.
import type { JobRuns } from "../api";
import { count, duration, plural } from "../format";
import { FigureCard } from "./figure_card";

function stateOf({ runs, failures, last_result }: JobRuns): [state: string, told: string] {
  if (runs === 0) return ["idle", "not yet"];
  if (!last_result) return ["bad", "failed last"];
  return ["good", failures > 0 ? `well again, ${plural(failures, "failure")}` : "well"];
}

export function JobsCard({ jobs }: { jobs: readonly JobRuns[] }) {
  const bad = jobs.filter((job) => stateOf(job)[0] === "bad").length;
  return (
    <FigureCard
      name="jobs"
      title="Jobs"
      value={bad === 0 ? "all well" : `${bad} failed`}
      meaning="What the server does by itself, again and again."
      wide
    >
      <div class="scroll-x" tabIndex={0} role="group" aria-label="Jobs">
        <table class="jobs">
          <thead>
            <tr>
              <th scope="col">Job</th>
              <th scope="col">State</th>
              <th scope="col" class="number">
                Every
              </th>
              <th scope="col" class="number">
                Last took
              </th>
              <th scope="col" class="number">
                Runs
              </th>
            </tr>
          </thead>
          <tbody>
            {jobs.map((job) => {
              const [state, told] = stateOf(job);
              return (
                <tr key={job.job}>
                  <th scope="row">{job.job.replaceAll("_", " ")}</th>
                  <td>
                    <span class={`state state-${state}`}>{told}</span>
                  </td>
                  <td class="number">{duration(job.period_seconds)}</td>
                  <td class="number">{job.runs > 0 ? duration(job.last_seconds) : "–"}</td>
                  <td class="number">{count(job.runs)}</td>
                </tr>
              );
            })}
          </tbody>
        </table>
      </div>
    </FigureCard>
  );
}
