// Time, as something that a test can hold.

export interface Clock {
  /** Milliseconds since 1970, by which events are dated: the server refuses those more than 5 minutes ahead of it. */
  now(): number;
  /** Runs `task` after that time, unless the returned function is called before. */
  later(ms: number, task: () => void): () => void;
}

export const systemClock: Clock = {
  now: () => Date.now(),
  later(ms, task) {
    const timer = setTimeout(task, ms);
    return () => clearTimeout(timer);
  },
};
