// Where waiting events are kept.

/**
 * A store of texts by name. Each event is a name of its own, written once and never changed, so several tabs may share
 * one store: none can overwrite what another put there.
 */
export interface EventStorage {
  names(): string[];
  read(name: string): string | null;
  /** Throws where there is no room. */
  write(name: string, text: string): void;
  remove(name: string): void;
}

/** Forgets everything when the page or the program ends. */
export class MemoryStorage implements EventStorage {
  private readonly texts = new Map<string, string>();

  names(): string[] {
    return [...this.texts.keys()];
  }
  read(name: string): string | null {
    return this.texts.get(name) ?? null;
  }
  write(name: string, text: string): void {
    this.texts.set(name, text);
  }
  remove(name: string): void {
    this.texts.delete(name);
  }
}

/** Keeps events in `localStorage`, or in another `Storage` of the browser. */
export class WebStorage implements EventStorage {
  constructor(private readonly area: Storage) {}

  names(): string[] {
    return Array.from({ length: this.area.length }, (_, place) => this.area.key(place)).filter((name) => name !== null);
  }
  read(name: string): string | null {
    return this.area.getItem(name);
  }
  write(name: string, text: string): void {
    this.area.setItem(name, text);
  }
  remove(name: string): void {
    this.area.removeItem(name);
  }
}

/** `localStorage` where the browser lets this page use it, else memory. */
export function browserStorage(): EventStorage {
  try {
    const probe = "novafeed.probe";
    localStorage.setItem(probe, "");
    localStorage.removeItem(probe);
    return new WebStorage(localStorage);
  } catch {
    return new MemoryStorage();
  }
}
