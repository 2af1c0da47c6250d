// How people are shown.
import type { KnownUser, User } from "../api";
import { useRelations } from "../relations";
import { profileHref } from "../route";
import { useSession } from "../session";

type Named = User | KnownUser;

/** A hue that belongs to an id, so that a person keeps their colour. */
function hueOf(id: string): number {
  let hash = 0;
  for (const char of id) hash = (hash * 31 + char.charCodeAt(0)) % 360;
  return hash;
}

export const nameOf = (user: Named): string => user.name || user.handle;

export function Avatar({ id, user }: { id: string; user: Named | undefined }) {
  const name = user ? nameOf(user).trim() : "";
  return (
    <span class="avatar" aria-hidden="true" style={{ "--hue": String(hueOf(id)) }}>
      {[...name][0]?.toUpperCase() ?? "?"}
    </span>
  );
}

/** Name and handle, each isolated: the direction of one cannot reach the other, nor what stands around them. */
export function Name({ user }: { user: Named | undefined }) {
  if (!user) return <span class="name name-unknown">…</span>;
  return (
    <span class="name">
      <bdi class="name-full">{nameOf(user)}</bdi>
      <bdi class="name-handle">@{user.handle}</bdi>
    </span>
  );
}

export function NameLink({ id, user }: { id: string; user: Named | undefined }) {
  return (
    <a class="name-link" href={profileHref(id)}>
      <Name user={user} />
    </a>
  );
}

interface FollowButtonProps {
  user: User | undefined;
  id: string;
  /** Runs what the button is for, and shows what became of the view. */
  act: (action: () => Promise<unknown>, done: string) => Promise<unknown>;
}

/** Nothing for the viewer themselves, and until it is known whom they follow. */
export function FollowButton({ user, id, act }: FollowButtonProps) {
  const { viewer } = useSession();
  const relations = useRelations();
  if (id === viewer.id || !relations.follows) return null;
  const followed = relations.follows.has(id);
  const name = user ? nameOf(user) : "this person";
  const done = followed ? `You no longer follow ${name}.` : `You follow ${name}.`;
  return (
    <button
      type="button"
      class={followed ? "follow" : "follow follow-new"}
      aria-label={`${followed ? "Unfollow" : "Follow"} ${name}`}
      onClick={() => void act(() => relations.setFollow(id, !followed), done)}
    >
      {followed ? "Unfollow" : "Follow"}
    </button>
  );
}
