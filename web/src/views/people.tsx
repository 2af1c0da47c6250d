// Suggested people: whom others like the viewer follow.
import { useAct } from "../act";
import { FlipList } from "../parts/flip_list";
import { PipelineBox } from "../parts/pipeline_box";
import { Empty, Failed, Skeletons } from "../parts/states";
import { idOfSuggestion, SuggestionLine } from "../parts/suggested";
import { ViewHead } from "../parts/view";
import { useSession } from "../session";
import { useWalk } from "../walk";

const shown = 30;

export function PeopleView() {
  const { api } = useSession();
  const { walk, problem, more, reread } = useWalk("people", () => api.suggestions(shown), idOfSuggestion);
  const act = useAct(reread);
  const suggestions = walk?.elements ?? [];
  return (
    <>
      <main class="main" id="view" tabIndex={-1}>
        <ViewHead title="People">
          <p class="lead">Whom people like you follow, and you do not yet.</p>
        </ViewHead>
        {!walk && (problem ? <Failed error={problem} retry={() => void more()} /> : <Skeletons what="suggestions" />)}
        {suggestions.length > 0 && (
          <section class="card people-card" aria-label="Suggested people">
            <FlipList order={suggestions.map(idOfSuggestion)} as="ul">
              {suggestions.map((suggestion) => (
                <SuggestionLine key={suggestion.user.id} suggestion={suggestion} act={act} />
              ))}
            </FlipList>
          </section>
        )}
        {walk && suggestions.length === 0 && (
          <Empty title="Nobody left to suggest">You follow everybody whom we know, or have dismissed them.</Empty>
        )}
      </main>
      <aside class="aside" aria-label="Beside the view">
        <section class="card about">
          <h2>How suggestions come about</h2>
          <p>
            Those who follow whom you follow are like you, the more, the more you share. Whom they follow is suggested:
            the better, the more like you they are, and the less everybody follows them anyway.
          </p>
          <p>Whom you dismiss never comes back.</p>
        </section>
        <PipelineBox />
      </aside>
    </>
  );
}
