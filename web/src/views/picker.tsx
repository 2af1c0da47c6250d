// Choosing a viewer: anybody of a demo server, else whoever a token speaks for.
import { useEffect, useRef, useState } from "preact/hooks";
import { type Credentials, demoUsers, type User } from "../api";
import { plural } from "../format";
import { Avatar, Name } from "../parts/person";
import type { Choice } from "../session";

const shownUsers = 12;

/** Credentials that the server did not take. */
export interface Refusal {
  credentials: Credentials;
  why: string;
}

interface Props {
  /** The server may be a demo: it is asked. */
  demo: boolean;
  /** It has answered that it is none. */
  onNoDemo: () => void;
  refusal: Refusal | null;
  onChoose: (choice: Choice) => void;
  onError: (error: unknown) => void;
}

export function ViewerPicker({ demo, onNoDemo, refusal, onChoose, onError }: Props) {
  const [prefix, setPrefix] = useState("");
  const [users, setUsers] = useState<User[] | null>(null);

  useEffect(() => {
    if (!demo) return;
    let current = true;
    demoUsers(prefix, shownUsers).then(
      (found) => {
        if (!found) onNoDemo();
        else if (current) setUsers(found);
      },
      (error: unknown) => current && onError(error),
    );
    return () => {
      current = false;
    };
  }, [demo, prefix, onNoDemo, onError]);

  if (demo && !users) return null;
  return (
    <main class="picker" id="view" tabIndex={-1}>
      <header class="picker-head">
        <img src="/favicon.svg" alt="" width="56" height="56" />
        <h1>Novafeed</h1>
        <p>Ranked feeds that can say why each post stands where it stands.</p>
      </header>
      <section class="card" aria-label="Choose a viewer">
        {demo && users ? (
          <DemoUsers users={users} prefix={prefix} onPrefix={setPrefix} onChoose={onChoose} />
        ) : (
          <TokenForm refusal={refusal} onChoose={onChoose} />
        )}
      </section>
    </main>
  );
}

interface DemoUsersProps {
  users: User[];
  prefix: string;
  onPrefix: (prefix: string) => void;
  onChoose: (choice: Choice) => void;
}

function DemoUsers({ users, prefix, onPrefix, onChoose }: DemoUsersProps) {
  return (
    <>
      <h2>Whose feed do you want to see?</h2>
      <p class="hint">These people live in a small generated network. Be any of them.</p>
      <label class="field">
        Find by handle or name
        <input
          type="search"
          autocomplete="off"
          value={prefix}
          onInput={(event) => onPrefix(event.currentTarget.value)}
        />
      </label>
      <ul class="people">
        {users.map((user) => (
          <li key={user.id}>
            <button type="button" class="person" onClick={() => onChoose({ kind: "demo", userId: user.id })}>
              <Avatar id={user.id} user={user} />
              <span class="who">
                <Name user={user} />
                <small>
                  follows {user.following} · {plural(user.followers, "follower")}
                </small>
              </span>
            </button>
          </li>
        ))}
      </ul>
      {users.length === 0 && <p role="status">Nobody's handle or name starts like that.</p>}
    </>
  );
}

/** What was refused stands in the fields again, to be corrected. */
function TokenForm({ refusal, onChoose }: Pick<Props, "refusal" | "onChoose">) {
  const tokenField = useRef<HTMLInputElement>(null);
  useEffect(() => {
    if (refusal) tokenField.current!.focus();
  }, [refusal]);
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget as HTMLFormElement);
    const token = String(form.get("token")).trim();
    const actAs = String(form.get("act_as")).trim();
    onChoose({ kind: "token", credentials: actAs ? { token, actAs } : { token } });
  };
  const described = refusal ? { "aria-invalid": true, "aria-describedby": "refusal" } : {};
  return (
    <form onSubmit={submit}>
      <h2>Whose feed do you want to see?</h2>
      <p class="hint">
        This server is no demo, so it wants a token: <code>novafeed token --data DIR --user ext:ada</code> prints one
        for the person with your own id <code>ada</code>. It goes into the field Token; nothing else is needed then.
      </p>
      {refusal && (
        <p class="refusal" role="alert" id="refusal">
          {refusal.why}
        </p>
      )}
      <label class="field">
        Token
        <input
          type="password"
          name="token"
          required
          autocomplete="off"
          spellcheck={false}
          defaultValue={refusal?.credentials.token ?? ""}
          ref={tokenField}
          {...described}
        />
      </label>
      <label class="field">
        User id (only with a service token)
        <input
          type="text"
          name="act_as"
          placeholder="ext:ada"
          autocomplete="off"
          spellcheck={false}
          defaultValue={refusal?.credentials.actAs ?? ""}
          {...described}
        />
      </label>
      <button type="submit" class="primary">
        Show the feed
      </button>
    </form>
  );
}
