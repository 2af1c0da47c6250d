// People whom the viewer may want to follow, and why.
import { type Act, useAct } from "../act";
import type { SuggestedUser } from "../api";
import { listed, plural } from "../format";
import { hrefOf } from "../route";
import { useSession } from "../session";
import { useWalk } from "../walk";
import { FlipList } from "./flip_list";
import { Icon } from "./icons";
import { Avatar, FollowButton, nameOf, NameLink } from "./person";

export const idOfSuggestion = ({ user }: SuggestedUser): string => user.id;

const shownInBox = 3;

/** In words; names are isolated, since their writing direction may be another. */
export function Reason({ suggestion: { reasons = [], user } }: { suggestion: SuggestedUser }) {
  const [reason] = reasons;
  if (!reason) return <small class="reason">Popular here: {plural(user.followers, "follower")}</small>;
  const names = reason.users.map((known) => `\u2068${nameOf(known)}\u2069`);
  const others = reason.count - names.length;
  if (others > 0) names.push(plural(others, "other"));
  return <small class="reason">Followed by {listed(names)}</small>;
}

export function SuggestionLine({ suggestion, act }: { suggestion: SuggestedUser; act: Act }) {
  const { api } = useSession();
  const { user } = suggestion;
  const name = nameOf(user);
  return (
    <li class="person-line" data-user={user.id}>
      <Avatar id={user.id} user={user} />
      <NameLink id={user.id} user={user} />
      <span class="person-end">
        <FollowButton id={user.id} user={user} act={act} />
        <button
          type="button"
          class="round"
          aria-label={`Do not suggest ${name} again`}
          title="Do not suggest again"
          onClick={() => void act(() => api.dismiss(user.id), `${name} will not be suggested again.`)}
        >
          <Icon name="close" />
        </button>
      </span>
      <Reason suggestion={suggestion} />
    </li>
  );
}

/** The first few, beside the feed. */
export function SuggestedBox({ onFollowed }: { onFollowed: () => void }) {
  const { api } = useSession();
  const list = useWalk("suggested", () => api.suggestions(shownInBox), idOfSuggestion);
  const act = useAct(async () => {
    onFollowed();
    return list.reread();
  });
  const suggestions = list.walk?.elements ?? [];
  if (suggestions.length === 0) return null;
  return (
    <section class="card suggested" aria-label="Whom to follow">
      <h2>Whom to follow</h2>
      <FlipList order={suggestions.map(idOfSuggestion)} as="ul">
        {suggestions.map((suggestion) => (
          <SuggestionLine key={suggestion.user.id} suggestion={suggestion} act={act} />
        ))}
      </FlipList>
      <a class="more-link" href={hrefOf({ view: "people" })}>
        Show more
      </a>
    </section>
  );
}
