// Numbers and times as people read them.

const units: [Intl.RelativeTimeFormatUnit, number][] = [
  ["day", 86_400_000],
  ["hour", 3_600_000],
  ["minute", 60_000],
];
const relative = new Intl.RelativeTimeFormat("en", { numeric: "always", style: "narrow" });
const whole = new Intl.NumberFormat("en");

export function timeAgo(at: number, now: number): string {
  const age = now - at;
  for (const [unit, length] of units) {
    if (age >= length) return relative.format(-Math.floor(age / length), unit);
  }
  return "just now";
}

export const count = (value: number): string => whole.format(value);

/** A score or one of its terms. */
export const decimal = (value: number): string => value.toFixed(3);

export const plural = (value: number, noun: string): string => `${count(value)} ${noun}${value === 1 ? "" : "s"}`;
