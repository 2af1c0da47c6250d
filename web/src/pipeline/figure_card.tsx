// One figure: its value, what that means, and a chart.
import type { ComponentChildren } from "preact";

interface Props {
  name: string;
  title: string;
  value: string;
  /** What the value means. */
  meaning: ComponentChildren;
  children?: ComponentChildren;
  wide?: boolean;
}

export function FigureCard({ name, title, value, meaning, children, wide = false }: Props) {
  return (
    <section class={wide ? "card figure figure-wide" : "card figure"} data-figure={name} aria-label={title}>
      <h2>{title}</h2>
      <p class="figure-value">{value}</p>
      <p class="figure-meaning">{meaning}</p>
      {children}
    </section>
  );
}
