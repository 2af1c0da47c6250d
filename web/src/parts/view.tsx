// The head of a view: its title, and the lists that it has.
import type { ComponentChildren } from "preact";
import { useEffect } from "preact/hooks";
import { hrefOf, type Route, useHere } from "../route";

interface Props {
  title: string;
  /** The title is for screen readers only. */
  hidden?: boolean;
  tabs?: [label: ComponentChildren, route: Route][];
  /** Stands behind the tabs. */
  end?: ComponentChildren;
  children?: ComponentChildren;
}

export function ViewHead({ title, hidden = false, tabs = [], end, children }: Props) {
  const here = hrefOf(useHere().route);
  useEffect(() => {
    document.title = `${title} · Novafeed`;
  }, [title]);
  return (
    <div class="view-head">
      <h1 class={hidden ? "hidden" : ""}>{title}</h1>
      {children}
      {tabs.length > 0 && (
        <div class="tabs">
          <nav aria-label={title}>
            {tabs.map(([label, route]) => {
              const href = hrefOf(route);
              return (
                <a key={href} href={href} aria-current={href === here ? "page" : undefined}>
                  {label}
                </a>
              );
            })}
          </nav>
          {end}
        </div>
      )}
    </div>
  );
}
