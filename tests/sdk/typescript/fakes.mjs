// Time that a test moves, and a network that does what a test says.

/** Lets everything run that waits for nothing but the event loop. */
export const settled = () => new Promise((resolve) => setImmediate(resolve));

export class HeldClock {
  time = 1_700_000_000_000;
  timers = [];

  now = () => this.time;
  later = (ms, task) => {
    const timer = { at: this.time + ms, task };
    this.timers.push(timer);
    return () => (this.timers = this.timers.filter((other) => other !== timer));
  };

  /** Runs what is due until then. */
  async advance(ms) {
    const end = this.time + ms;
    await settled();
    for (let timer; (timer = this.next()) && timer.at <= end; await settled()) this.run(timer);
    this.time = end;
  }

  /** Runs the next timer, at its time. */
  async step() {
    await settled();
    this.run(this.next());
    await settled();
  }

  next() {
    return this.timers.reduce((first, timer) => (first && first.at <= timer.at ? first : timer), undefined);
  }
  run(timer) {
    this.timers = this.timers.filter((other) => other !== timer);
    this.time = Math.max(this.time, timer.at);
    timer.task();
  }
}

export const answer = (status, body, headers = {}) =>
  new Response(typeof body === "string" ? body : JSON.stringify(body), { status, headers });

export const accepted = (events, headers) =>
  answer(202, { results: events.map(({ event_id }) => ({ event_id, status: "accepted" })) }, headers);

export const problem = (status, code, headers) => answer(status, { status, code, detail: `It is ${code}.` }, headers);

/**
 * fetch for a test: each request is kept in `requests`, and answered by the next of `answers`, or accepted.
 * An answer is a function of the events, or an Error.
 */
export class Network {
  requests = [];
  answers = [];

  constructor(clock) {
    this.clock = clock;
  }

  fetch = async (url, init) => {
    const events = JSON.parse(init.body).events;
    this.requests.push({ url, init, events, at: this.clock.now(), token: init.headers.Authorization });
    const next = this.answers.shift() ?? accepted;
    if (next instanceof Error) throw next;
    return next(events, init);
  };

  get sizes() {
    return this.requests.map(({ events }) => events.length);
  }
  get times() {
    return this.requests.map(({ at }) => at);
  }
}
