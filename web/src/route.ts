// Which view the address names (behind '#'), and what each entry of the browser's history remembers.
import { createContext } from "preact";
import { useContext, useEffect, useLayoutEffect, useState } from "preact/hooks";
import type { FeedMode, TrendingWindow } from "./api";

export type ProfileList = "posts" | "followers" | "following";

export type Route =
  | { view: "feed"; mode: FeedMode }
  | { view: "trending"; window: TrendingWindow }
  | { view: "people" }
  | { view: "profile"; id: string; list: ProfileList }
  | { view: "pipeline" };

const profileLists: readonly string[] = ["followers", "following"];

/** Whatever stands behind '#': what names no view is the feed. */
export function routeOf(hash: string): Route {
  const [view, id, list] = hash.replace(/^#\/?/, "").split("/");
  if (view === "trending") return { view, window: id === "1h" ? "1h" : "24h" };
  if (view === "people" || view === "pipeline") return { view };
  if (view === "profile" && id)
    return { view, id, list: profileLists.includes(list ?? "") ? (list as ProfileList) : "posts" };
  return { view: "feed", mode: view === "following" ? "following" : "for_you" };
}

export function hrefOf(route: Route): string {
  switch (route.view) {
    case "feed":
      return route.mode === "following" ? "#/following" : "#/";
    case "trending":
      return `#/trending/${route.window}`;
    case "profile":
      return `#/profile/${route.id}${route.list === "posts" ? "" : `/${route.list}`}`;
    default:
      return `#/${route.view}`;
  }
}

export const profileHref = (id: string): string => hrefOf({ view: "profile", id, list: "posts" });

/** One entry of the browser's history: who comes back to it finds the lists and the place that they left. */
export interface Place {
  readonly number: number;
  readonly kept: Map<string, unknown>;
  scroll: number;
}

export interface Here {
  route: Route;
  place: Place;
}

const rememberedPlaces = 20;

/** Where one viewer has been: on the same entry of the history another viewer's lists are others. */
class Places {
  private readonly known = new Map<number, Place>();
  // Not from 1: after a reload, or for another viewer, older entries of the history still have their numbers.
  private lastNumber = Date.now();

  here(): Here {
    return { route: routeOf(location.hash), place: this.placeNow() };
  }

  private placeNow(): Place {
    const known = this.known.get((history.state as { place?: number } | null)?.place ?? -1);
    if (known) return known;
    const place: Place = { number: ++this.lastNumber, kept: new Map(), scroll: 0 };
    this.known.set(place.number, place);
    this.known.delete(place.number - rememberedPlaces);
    history.replaceState({ place: place.number }, "");
    return place;
  }
}

export const HereContext = createContext<Here>({
  route: routeOf(""),
  place: { number: 0, kept: new Map(), scroll: 0 },
});

export const useHere = (): Here => useContext(HereContext);

/**
 * Follows the address, and scrolls to where the viewer was on that entry of the history: to the top of a new one.
 * What is remembered lives as long as the component, which is one viewer's.
 */
export function useAddress(): Here {
  const [places] = useState(() => new Places());
  const [here, setHere] = useState(() => places.here());
  useEffect(() => {
    history.scrollRestoration = "manual";
    const follow = () => setHere(places.here());
    addEventListener("hashchange", follow);
    return () => removeEventListener("hashchange", follow);
  }, [places]);
  useLayoutEffect(() => {
    scrollTo(0, here.place.scroll);
    const note = () => (here.place.scroll = scrollY);
    addEventListener("scroll", note, { passive: true });
    return () => removeEventListener("scroll", note);
  }, [here.place]);
  return here;
}
