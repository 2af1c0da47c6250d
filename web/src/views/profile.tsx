// One person: who they are, what they posted, who follows them and whom they follow.
import { useCallback, useEffect, useState } from "preact/hooks";
import { useAct } from "../act";
import type { Page, Post, User } from "../api";
import { count, monthOf, plural } from "../format";
import { Aside } from "../parts/aside";
import { Avatar, FollowButton, Name, nameOf, NameLink } from "../parts/person";
import { PostList } from "../parts/post_list";
import type { Entry } from "../parts/post_card";
import { Empty, Failed, ListFoot, Skeletons } from "../parts/states";
import { ViewHead } from "../parts/view";
import { useRelations } from "../relations";
import { type ProfileList, useHere } from "../route";
import { useSession } from "../session";
import { useWalk } from "../walk";

interface Props {
  id: string;
  list: ProfileList;
}

export function ProfileView({ id, list }: Props) {
  const { api, users } = useSession();
  const { place } = useHere();
  const [user, setUser] = useState(users.peek(id));
  const [problem, setProblem] = useState<unknown>(null);

  const refresh = useCallback(async () => {
    setProblem(null);
    try {
      const found = await api.user(id);
      users.note(found);
      setUser(found);
    } catch (error) {
      setProblem(error);
    }
  }, [api, users, id]);
  useEffect(() => void refresh(), [refresh]);

  return (
    <>
      <main class="main" id="view" tabIndex={-1}>
        {problem !== null && !user && <Failed error={problem} retry={() => void refresh()} />}
        {problem === null && !user && <Skeletons number={1} what="the profile" />}
        {user && (
          <>
            <ProfileHead user={user} refresh={refresh} />
            {list === "posts" ? (
              <Posts key={place.number} user={user} refresh={refresh} />
            ) : (
              <People key={place.number} user={user} list={list} refresh={refresh} />
            )}
          </>
        )}
      </main>
      <Aside />
    </>
  );
}

interface PartProps {
  user: User;
  refresh: () => Promise<void>;
}

const noMoves = new Map<string, never>();

function ProfileHead({ user, refresh }: PartProps) {
  const { viewer } = useSession();
  const act = useAct(async () => {
    await refresh();
    return noMoves;
  });
  const counted = (number: number, word: string) => (
    <>
      <b>{count(number)}</b> {word}
    </>
  );
  return (
    <section class="card profile" aria-label="Profile">
      <div class="profile-head">
        <Avatar id={user.id} user={user} />
        <div class="profile-name">
          <Name user={user} />
          <small>
            {user.id === viewer.id ? "This is you. " : ""}Here since {monthOf(user.created_at)}
          </small>
        </div>
        <FollowButton id={user.id} user={user} act={act} />
      </div>
      <ViewHead
        title={nameOf(user)}
        hidden
        tabs={[
          ["Posts", { view: "profile", id: user.id, list: "posts" }],
          [
            counted(user.followers, user.followers === 1 ? "follower" : "followers"),
            { view: "profile", id: user.id, list: "followers" },
          ],
          [counted(user.following, "following"), { view: "profile", id: user.id, list: "following" }],
        ]}
      />
    </section>
  );
}

async function entriesOf(posts: Promise<Page<Post>>): Promise<Page<Entry>> {
  const { elements, next_cursor } = await posts;
  return { elements: elements.map((post) => ({ post, source: null, score: null })), next_cursor };
}

function Posts({ user, refresh }: PartProps) {
  const { api } = useSession();
  const { withLikes } = useRelations();
  const list = useWalk(
    "posts",
    (limit, cursor) => withLikes(entriesOf(api.postsOf(user.id, limit, cursor))),
    (entry: Entry) => entry.post.id,
  );
  const act = useAct(async () => {
    await refresh();
    return list.reread();
  });
  const empty = <Empty title="No posts yet">What {nameOf(user)} writes will stand here.</Empty>;
  return <PostList label="Posts" list={list} act={act} now={api.now()} empty={empty} />;
}

function People({ user, list, refresh }: PartProps & { list: "followers" | "following" }) {
  const { api } = useSession();
  const { walk, loading, problem, more, reread } = useWalk(
    list,
    (limit, cursor) => api[list](user.id, limit, cursor),
    (one: User) => one.id,
  );
  const act = useAct(async () => {
    await refresh();
    return reread();
  });
  if (!walk) return problem ? <Failed error={problem} retry={() => void more()} /> : <Skeletons what="people" />;
  const people = walk.elements;
  const label = list === "followers" ? "Followers" : "Following";
  return (
    <>
      {people.length > 0 && (
        <section class="card people-card" aria-label={label} aria-busy={loading}>
          <ul>
            {people.map((one) => (
              <li key={one.id} class="person-line" data-user={one.id}>
                <Avatar id={one.id} user={one} />
                <NameLink id={one.id} user={one} />
                <span class="person-end">
                  <FollowButton id={one.id} user={one} act={act} />
                </span>
                <small class="reason">
                  {plural(one.followers, "follower")} · {count(one.following)} following
                </small>
              </li>
            ))}
          </ul>
        </section>
      )}
      {people.length === 0 && <Empty title={list === "followers" ? "No followers yet" : "Follows nobody yet"} />}
      <ListFoot
        length={people.length}
        more={walk.last.next_cursor ? () => void more() : null}
        loading={loading}
        problem={problem}
      />
    </>
  );
}
