// Numbers and times as people read them.

const units: [Intl.RelativeTimeFormatUnit, number][] = [
  ["day", 86_400_000],
  ["hour", 3_600_000],
  ["minute", 60_000],
];
const relative = new Intl.RelativeTimeFormat("en", { numeric: "always", style: "narrow" });
const whole = new Intl.NumberFormat("en");
const short = new Intl.NumberFormat("en", { notation: "compact", maximumFractionDigits: 1 });
const month = new Intl.DateTimeFormat("en", { month: "long", year: "numeric" });

export function timeAgo(at: number, now: number): string {
  const age = now - at;
  for (const [unit, length] of units) {
    if (age >= length) return relative.format(-Math.floor(age / length), unit);
  }
  return "just now";
}

export const monthOf = (at: number): string => month.format(at);
export const clockTime = (at: number): string => new Date(at).toLocaleTimeString();

export const count = (value: number): string => whole.format(value);
/** 12,345 as "12.3K". */
export const shortCount = (value: number): string => short.format(value);

/** A score or one of its terms. */
export const decimal = (value: number): string => value.toFixed(3);

export const plural = (value: number, noun: string): string => `${count(value)} ${noun}${value === 1 ? "" : "s"}`;

/** A span of time in the unit that suits it: "3 ms", "1.2 s", "5 min". */
export function duration(seconds: number): string {
  if (seconds <= 0) return "0 ms";
  if (seconds < 0.001) return "< 1 ms";
  if (seconds < 1) return `${Number((seconds * 1000).toPrecision(2))} ms`;
  if (seconds < 60) return `${Number(seconds.toPrecision(2))} s`;
  if (seconds < 5400) return `${Math.round(seconds / 60)} min`;
  return `${Number((seconds / 3600).toPrecision(2))} h`;
}

export const percent = (part: number): string => `${Number((100 * part).toFixed(part > 0.99 && part < 1 ? 1 : 0))} %`;

/** "A", "A and B", "A, B and C". */
export function listed(names: readonly string[]): string {
  if (names.length < 2) return names.join();
  return `${names.slice(0, -1).join(", ")} and ${names.at(-1)}`;
}
