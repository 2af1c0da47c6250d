// What stands around every view: the brand, the way to the views, who is looking, and what is told to them.
import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { Icon } from "./parts/icons";
import { Avatar, Name, nameOf } from "./parts/person";
import { hrefOf, type Route, useHere } from "./route";
import type { Session } from "./session";

type IconName = Parameters<typeof Icon>[0]["name"];

type Entry = [label: string, icon: IconName, route: Route];

const pipelineEntry: Entry = ["Pipeline", "pipeline", { view: "pipeline" }];

const viewsFor = ({ viewer, seesPipeline }: Session): Entry[] => [
  ["Feed", "home", { view: "feed", mode: "for_you" }],
  ["Trending", "trending", { view: "trending", window: "24h" }],
  ["People", "people", { view: "people" }],
  ...(seesPipeline ? [pipelineEntry] : []),
  ["Profile", "profile", { view: "profile", id: viewer.id, list: "posts" }],
];

/** Views of the same kind; every profile is a view of its own. */
const subjectOf = (route: Route): string => (route.view === "profile" ? `profile ${route.id}` : route.view);

interface Props {
  session: Session;
  onLeave: () => void;
  children: ComponentChildren;
}

export function Frame({ session, onLeave, children }: Props) {
  const { viewer } = session;
  const { route } = useHere();
  const subject = subjectOf(route);
  const shown = useRef(subject);
  // Who goes on by keyboard or ear goes on in the new view.
  useEffect(() => {
    if (shown.current === subject) return;
    shown.current = subject;
    document.getElementById("view")?.focus({ preventScroll: true });
  }, [subject]);

  return (
    <div class="frame">
      <header class="side">
        <a class="brand" href={hrefOf({ view: "feed", mode: "for_you" })}>
          <img src="/favicon.svg" alt="" width="28" height="28" />
          <span>Novafeed</span>
        </a>
        <nav class="views" aria-label="Views">
          {viewsFor(session).map(([label, icon, target]) => (
            <a key={label} href={hrefOf(target)} aria-current={subjectOf(target) === subject ? "page" : undefined}>
              <Icon name={icon} filled={false} />
              <span>{label}</span>
            </a>
          ))}
        </nav>
        <div class="viewer">
          <Avatar id={viewer.id} user={viewer} />
          <Name user={viewer} />
          <button type="button" class="quiet" aria-label={`Change viewer, now ${nameOf(viewer)}`} onClick={onLeave}>
            Change
          </button>
        </div>
        <a class="docs-link" href="/docs">
          The API
        </a>
      </header>
      {children}
    </div>
  );
}
