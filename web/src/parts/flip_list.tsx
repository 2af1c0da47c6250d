// A list whose elements glide to their new places when the order changes (FLIP: first, last, invert, play).
import { Component, type ComponentChildren, createElement, createRef } from "preact";

interface Props {
  order: string[];
  /** The list's element. */
  as?: "div" | "ul";
  children: ComponentChildren;
}

interface Snapshot {
  tops: Map<Element, number>;
  focused: Element | null;
}

const durationMs = 600;

export class FlipList extends Component<Props> {
  private readonly list = createRef<HTMLElement>();

  override getSnapshotBeforeUpdate(): Snapshot {
    return { tops: this.tops(), focused: document.activeElement };
  }

  override componentDidUpdate(before: Props, _state: unknown, { tops, focused }: Snapshot): void {
    if (before.order.join() === this.props.order.join()) return;
    this.keepFocus(focused);
    if (matchMedia("(prefers-reduced-motion: reduce)").matches) return;
    for (const [element, top] of this.tops()) this.glide(element, tops.get(element), top);
  }

  override render() {
    const { as = "div", children } = this.props;
    return createElement(as, { class: "list", ref: this.list as never }, children);
  }

  private tops(): Map<Element, number> {
    const elements = [...(this.list.current?.children ?? [])];
    return new Map(elements.map((element) => [element, element.getBoundingClientRect().top]));
  }

  private glide(element: Element, from: number | undefined, to: number): void {
    const first = from === undefined ? { opacity: 0 } : { transform: `translateY(${from - to}px)` };
    if (from !== to) element.animate([first, {}], { duration: durationMs, easing: "ease-in-out" });
  }

  /** A browser takes the focus from an element that is moved; a keyboard user must not lose their place. */
  private keepFocus(focused: Element | null): void {
    if (focused instanceof HTMLElement && this.list.current?.contains(focused)) focused.focus({ preventScroll: true });
  }
}
