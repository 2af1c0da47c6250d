// How people are shown.
import type { User } from "./api";

/** A hue that belongs to an id, so that a person keeps their colour. */
function hueOf(id: string): number {
  let hash = 0;
  for (const char of id) hash = (hash * 31 + char.charCodeAt(0)) % 360;
  return hash;
}

export function Avatar({ id, name }: { id: string; name: string }) {
  return (
    <span class="avatar" aria-hidden="true" style={{ "--hue": String(hueOf(id)) }}>
      {[...name.trim()][0]?.toUpperCase() ?? "?"}
    </span>
  );
}

/** Name and handle, each isolated: the direction of one cannot reach the other, nor what stands around them. */
export function Name({ user }: { user: User | undefined }) {
  if (!user) return <span class="name">…</span>;
  return (
    <span class="name">
      <bdi class="name-full">{user.name || user.handle}</bdi>
      <bdi class="name-handle">@{user.handle}</bdi>
    </span>
  );
}
