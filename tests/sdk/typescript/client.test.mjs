import assert from "node:assert/strict";
import test from "node:test";
import { EventsClient, MemoryStorage } from "../../../sdk/typescript/dist/index.js";
import { accepted, answer, HeldClock, Network, problem, settled } from "./fakes.mjs";

const offline = new Error("no network");
const refuse = (status, code, headers) => () => problem(status, code, headers);

/** A client with time and network of the test, and what it has told. `random` is 1: waits are as long as they may be. */
function setUp(options = {}) {
  const clock = new HeldClock();
  const network = new Network(clock);
  const told = { dropped: [], sent: [], problems: [] };
  const events = new EventsClient({
    url: "http://feed.test/",
    token: () => "t0",
    clock,
    random: () => 1,
    fetch: network.fetch,
    lifecycle: null,
    onDropped: (event, why) => told.dropped.push([event, why.code]),
    onSent: (sent) => told.sent.push(sent),
    onProblem: (why) => told.problems.push(why.code),
    ...options,
  });
  const track = (count) => Array.from({ length: count }, (_, n) => events.track("share", `ext:${n}`));
  return { clock, network, told, events, track };
}

function lifecycle() {
  const listeners = {};
  const on = (name) => (listener) => {
    listeners[name] = listener;
    return () => delete listeners[name];
  };
  return { onHide: on("hide"), onOnline: on("online"), listeners };
}

test("an event has its identity when it is tracked, and keeps it on every try", async () => {
  const { clock, network, events, told } = setUp();
  const one = events.track("share", "ext:p");
  const two = events.track("impression", "ext:q", { at: 7, userId: "ext:ada", eventId: "ext:e" });
  assert.equal(one.at, clock.now());
  assert.deepEqual(two, { event_id: "ext:e", type: "impression", post_id: "ext:q", at: 7, user_id: "ext:ada" });
  network.answers = [offline, refuse(503, "booting"), () => answer(202, "half of an ans")];
  for (let n = 0; n < 4; ++n) await clock.step();
  assert.equal(network.requests.length, 4);
  assert.equal(new Set(network.requests.map(({ init }) => init.body)).size, 1);
  assert.deepEqual(network.requests[0].events, [one, two]);
  assert.deepEqual(told.sent.map((sent) => sent.accepted), [2]);
  assert.equal(events.pending, 0);
});

test("requests go to the events route with token and user", async () => {
  const { network, events } = setUp({ user: "ext:ada" });
  events.track("view", "ext:p");
  await events.flush();
  const [{ url, init }] = network.requests;
  assert.equal(url, "http://feed.test/api/v1/events");
  const headers = { Authorization: "Bearer t0", "Content-Type": "application/json", "Novafeed-User": "ext:ada" };
  assert.deepEqual([init.method, init.keepalive, init.headers], ["POST", false, headers]);
});

test("events are sent together after the flush interval", async () => {
  const { clock, network, track } = setUp({ flushIntervalMs: 2000 });
  const begin = clock.now();
  track(3);
  await clock.advance(1999);
  track(1);
  assert.deepEqual(network.sizes, []);
  await clock.advance(1);
  assert.deepEqual(network.sizes, [4]);
  track(1);
  await clock.advance(2000);
  assert.deepEqual([network.sizes, network.times], [[4, 1], [begin + 2000, begin + 4000]]);
});

test("a full batch is sent at once, what is beyond it after the interval", async () => {
  const { clock, network, track } = setUp({ maxBatchEvents: 10 });
  track(25);
  await settled();
  assert.deepEqual(network.sizes[0], 10);
  await clock.advance(2000);
  assert.equal(network.sizes.reduce((sum, size) => sum + size), 25);
  assert.ok(Math.max(...network.sizes) <= 10);
});

test("batches are bounded in bytes, too", async () => {
  const { network, events, track } = setUp({ maxBatchBytes: 1000 });
  track(30);
  await events.flush();
  assert.ok(network.requests.length > 3);
  for (const { init } of network.requests) assert.ok(init.body.length <= 1000 + '{"events":[]}'.length);
});

test("a slow answer does not make batches of single events", async () => {
  const { clock, network, events } = setUp({ flushIntervalMs: 2000 });
  const slow = (sent) => new Promise((resolve) => clock.later(100, () => resolve(accepted(sent))));
  network.answers = Array(50).fill(slow);
  for (let n = 0; n < 100; ++n) {
    events.track("view", "ext:p");
    await clock.advance(50);
  }
  assert.ok(network.requests.length <= 4, `${network.sizes}`);
});

test("after failures it backs off exponentially, and begins anew after a success", async () => {
  const { clock, network, events, told } = setUp({ backoffBaseMs: 500, backoffMaxMs: 3000 });
  network.answers = [offline, refuse(500, "internal"), refuse(507, "disk_full"), refuse(404, "unknown_route"), offline];
  events.track("view", "ext:p");
  for (let n = 0; n < 6; ++n) await clock.step();
  const waits = network.times.slice(1).map((time, n) => time - network.times[n]);
  assert.deepEqual(waits, [500, 1000, 2000, 3000, 3000]);
  assert.deepEqual(told.problems, ["no_answer", "internal", "disk_full", "unknown_route", "no_answer"]);
  network.answers = [offline];
  events.track("view", "ext:p");
  for (let n = 0; n < 2; ++n) await clock.step();
  assert.equal(network.times[7] - network.times[6], 500);
  assert.equal(events.pending, 0);
});

test("new events do not cut a back-off short, a flush does", async () => {
  const { clock, network, events, track } = setUp({ maxBatchEvents: 2, backoffBaseMs: 10_000 });
  network.answers = [offline];
  track(2);
  await clock.advance(0);
  track(4);
  await clock.advance(9999);
  assert.deepEqual(network.sizes, [2]);
  assert.deepEqual(await events.flush(), { pending: 0, problem: null });
  assert.deepEqual(network.sizes, [2, 2, 2, 2]);
});

test("a flush says what waits and why", async () => {
  const { network, events, track } = setUp();
  network.answers = [refuse(503, "booting")];
  track(3);
  assert.deepEqual(await events.flush(), { pending: 3, problem: { status: 503, code: "booting", detail: "It is booting." } });
  assert.deepEqual(await events.flush(), { pending: 0, problem: null });
  assert.deepEqual(await events.flush(), { pending: 0, problem: null });
});

test("events that come during a flush are part of the next one", async () => {
  const { network, events, track } = setUp();
  track(1);
  const first = events.flush();
  track(1);
  assert.deepEqual(await events.flush(), { pending: 0, problem: null });
  await first;
  assert.deepEqual(network.sizes, [1, 1]);
});

test("Retry-After of a 429 or 503 is kept, also by a flush, the return of the network and the end of the page", async () => {
  for (const status of [429, 503]) {
    const page = lifecycle();
    const { clock, network, events, track } = setUp({ maxBatchEvents: 3, lifecycle: page });
    network.answers = [refuse(status, "wait", { "Retry-After": "7" })];
    track(3);
    await settled();
    track(3);
    assert.equal((await events.flush()).pending, 6);
    page.listeners.online();
    page.listeners.hide();
    await clock.advance(7000 + 499);
    assert.deepEqual(network.sizes, [3]);
    await clock.advance(1);
    assert.deepEqual(network.sizes, [3, 3, 3]);
  }
});

test("a refused token is asked for once more, and only once", async () => {
  const asked = [];
  const token = async (renew) => `t${asked.push(renew)}`;
  const { clock, network, events, told } = setUp({ token });
  network.answers = [refuse(401, "token_expired")];
  events.track("view", "ext:p");
  assert.equal((await events.flush()).pending, 0);
  assert.deepEqual([asked, network.requests.map((one) => one.token)], [[false, true], ["Bearer t1", "Bearer t2"]]);
  network.answers = [refuse(401, "token_expired"), refuse(401, "token_expired")];
  events.track("view", "ext:p");
  assert.equal((await events.flush()).problem.status, 401);
  assert.equal(network.requests.length, 4);
  await clock.step();
  assert.deepEqual([events.pending, told.problems, told.dropped], [0, ["token_expired"], []]);
});

test("a token provider that fails is asked again later", async () => {
  let failures = 2;
  const token = () => {
    if (failures-- > 0) throw new Error("signed out");
    return "t";
  };
  const { clock, network, events } = setUp({ token });
  events.track("view", "ext:p");
  assert.deepEqual((await events.flush()).problem, { status: 0, code: "no_token", detail: "signed out" });
  await clock.step();
  await clock.step();
  assert.deepEqual([events.pending, network.sizes], [0, [1]]);
});

test("single refused events are dropped with the server's reason, the others are settled", async () => {
  const { network, events, told, track } = setUp();
  const codes = ["unknown_post", null, "time_out_of_range", undefined];
  network.answers = [
    (sent) =>
      answer(202, {
        results: sent.map((_, n) => (codes[n] ? { status: "rejected", code: codes[n] } : { status: n === 1 ? "duplicate" : "accepted" })),
      }, { "Novafeed-Position": "abc" }),
  ];
  const tracked = track(4);
  assert.deepEqual(await events.flush(), { pending: 0, problem: null });
  assert.deepEqual(told.dropped, [[tracked[0], "unknown_post"], [tracked[2], "time_out_of_range"]]);
  assert.deepEqual(told.sent, [{ events: [tracked[1], tracked[3]], accepted: 1, duplicates: 1, position: "abc" }]);
});

test("batches that are too large are halved for good", async () => {
  for (const [status, code] of [[413, "body_too_large"], [422, "bad_batch_size"]]) {
    const { network, events, told, track } = setUp();
    const atMost = (most) => (sent) => (sent.length > most ? problem(status, code) : accepted(sent));
    network.answers = Array(99).fill(atMost(3));
    track(20);
    assert.deepEqual(await events.flush(), { pending: 0, problem: null });
    assert.deepEqual(network.sizes, [20, 10, 5, 3, 3, 3, 3, 3, 3, 2]);
    assert.deepEqual(told.dropped, []);
  }
});

test("of a batch that is refused as a whole only the event that is to blame is dropped", async () => {
  for (let bad = 0; bad < 33; ++bad) {
    const { network, events, told, track } = setUp();
    const spoiled = track(33)[bad].event_id;
    const judge = (sent) => (sent.some((one) => one.event_id === spoiled) ? problem(400, "malformed_json") : accepted(sent));
    network.answers = Array(99).fill(judge);
    assert.deepEqual(await events.flush(), { pending: 0, problem: null });
    assert.deepEqual(told.dropped.map(([event, code]) => [event.event_id, code]), [[spoiled, "malformed_json"]]);
    assert.equal(told.sent.reduce((sum, sent) => sum + sent.accepted, 0), 32);
    assert.ok(network.requests.length <= 20, `${network.sizes}`);
  }
});

test("all is dropped where nothing of it can ever be taken", async () => {
  for (const [status, code] of [[401, "user_erased"], [400, "user_required"]]) {
    const { network, events, told, track } = setUp();
    network.answers = [refuse(status, code)];
    track(5);
    assert.deepEqual(await events.flush(), { pending: 0, problem: null });
    assert.deepEqual(told.dropped.map((one) => one[1]), Array(5).fill(code));
    assert.equal(network.requests.length, 1);
  }
});

test("what is no answer of this server settles nothing", async () => {
  const { clock, network, events, told } = setUp();
  const strange = [
    () => answer(200, "<html>Please sign in to this network</html>"),
    () => answer(202, "<html>"),
    () => answer(202, { results: [] }),
    () => answer(202, { results: [null] }),
    () => answer(500, { results: [{ status: "accepted" }] }),
    () => answer(302, "", { Location: "/elsewhere" }),
    () => answer(403, "forbidden by a proxy"),
  ];
  network.answers = [...strange];
  events.track("view", "ext:p");
  for (let n = 0; n < strange.length; ++n) {
    await clock.step();
    assert.equal(events.pending, 1);
  }
  await clock.step();
  assert.deepEqual([events.pending, told.dropped], [0, []]);
});

test("a request that is never answered is given up and sent again", async () => {
  const { clock, network, events, told } = setUp({ requestTimeoutMs: 30_000 });
  const never = (_, { signal }) => new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
  network.answers = [never];
  events.track("view", "ext:p");
  await clock.advance(2000 + 30_000 + 500);
  assert.deepEqual([events.pending, told.problems, network.sizes], [0, ["no_answer"], [1, 1]]);
});

test("where there is no room the oldest events are dropped, and that is told", async () => {
  const { network, events, told, track } = setUp({ maxQueueEvents: 5 });
  const tracked = track(8);
  assert.deepEqual(told.dropped, tracked.slice(0, 3).map((event) => [event, "queue_full"]));
  await events.flush();
  assert.deepEqual(network.requests[0].events, tracked.slice(3));
});

test("the next client sends what the one before has left in the storage", async () => {
  const storage = new MemoryStorage();
  const before = setUp({ storage, user: "ext:ada" });
  before.network.answers = [offline];
  const tracked = before.track(3);
  const closed = before.events.close(100);
  await before.clock.advance(100);
  assert.equal((await closed).pending, 3);
  const other = setUp({ storage, user: "ext:bob" });
  assert.equal(other.events.pending, 0);
  const after = setUp({ storage, user: "ext:ada" });
  assert.equal(after.events.pending, 3);
  await after.clock.advance(2000);
  assert.deepEqual(after.network.requests[0].events, tracked);
  assert.deepEqual(storage.names(), []);
});

test("two tabs send the same events under the same identities", async () => {
  const storage = new MemoryStorage();
  const one = setUp({ storage });
  const tracked = one.track(3);
  const two = setUp({ storage });
  await Promise.all([one.events.flush(), two.events.flush()]);
  assert.deepEqual(one.network.requests[0].events, tracked);
  assert.deepEqual(two.network.requests[0].events, tracked);
  assert.deepEqual(storage.names(), []);
});

test("a storage without room is told, and the events are sent all the same", async () => {
  const storage = new MemoryStorage();
  storage.write = () => {
    throw new Error("quota");
  };
  const { network, events, told, track } = setUp({ storage });
  track(2);
  await events.flush();
  assert.deepEqual([told.problems, network.sizes], [["not_stored", "not_stored"], [2]]);
});

test("a page that goes sends all that a browser lets live on", async () => {
  const page = lifecycle();
  const { network, events, track } = setUp({ lifecycle: page, maxBatchEvents: 1000 });
  track(900);
  page.listeners.hide();
  page.listeners.hide();  // a page that is closed says so twice
  assert.ok(network.requests.length > 0, "nothing is sent before the page is gone");
  assert.ok(network.requests.every(({ init }) => init.keepalive));
  const bytes = network.requests.reduce((sum, { init }) => sum + init.body.length, 0);
  assert.ok(bytes > 50_000 && bytes < 64 * 1024, `${bytes} bytes`);
  await settled();
  assert.equal(events.pending, 900 - network.requests[0].events.length);
});

test("a page that goes sends again what is on its way and might be cut off", async () => {
  const page = lifecycle();
  const { network, events, told, track } = setUp({ lifecycle: page });
  let release;
  network.answers = [(sent) => new Promise((resolve) => (release = () => resolve(accepted(sent))))];
  const tracked = track(2);
  void events.flush();
  page.listeners.hide();
  await settled();
  release();
  await settled();
  assert.deepEqual(network.requests.map((one) => one.events), [tracked, tracked]);
  assert.deepEqual([events.pending, told.sent.length], [0, 1]);
});

test("the network's return ends a back-off", async () => {
  const page = lifecycle();
  const { clock, network, events, track } = setUp({ lifecycle: page, backoffBaseMs: 60_000 });
  network.answers = [offline];
  track(1);
  await clock.step();
  assert.equal(events.pending, 1);
  page.listeners.online();
  await settled();
  assert.equal(events.pending, 0);
});

test("close sends what waits, through failures, and then takes nothing more", async () => {
  const page = lifecycle();
  const { clock, network, events, track } = setUp({ lifecycle: page });
  network.answers = [offline, refuse(429, "rate_limited", { "Retry-After": "1" })];
  track(3);
  const closed = events.close(60_000);
  assert.throws(() => track(1), /closed/);
  await clock.advance(10_000);
  assert.deepEqual(await closed, { pending: 0, problem: null });
  assert.deepEqual([clock.timers, page.listeners], [[], {}]);
  assert.deepEqual(await events.close(), { pending: 0, problem: null });
});

test("close gives up at its deadline and leaves nothing running", async () => {
  const { clock, network, events, track } = setUp();
  let signal;
  network.answers = [(_, init) => new Promise((_, reject) => {
    ({ signal } = init);
    signal.addEventListener("abort", () => reject(signal.reason));
  })];
  track(3);
  const closed = events.close(5000);
  await clock.advance(5000);
  assert.equal((await closed).pending, 3);
  await settled();
  assert.ok(signal.aborted);
  assert.deepEqual(clock.timers, []);
  assert.equal((await events.flush()).pending, 3);
  assert.equal(network.requests.length, 1);
});

test("a callback that throws stops nothing", async () => {
  const complain = console.error;
  console.error = () => {};
  try {
    const broken = () => {
      throw new Error("mine");
    };
    const { clock, network, events, track } = setUp({ onSent: broken, onDropped: broken, onProblem: broken, maxQueueEvents: 2 });
    network.answers = [offline];
    track(3);
    await clock.advance(5000);
    assert.deepEqual([events.pending, network.sizes], [0, [2, 2]]);
  } finally {
    console.error = complain;
  }
});

// --- Anything may happen in any order ---

function randomOf(seed) {
  return () => {
    seed = (seed + 0x6d2b79f5) | 0;
    let mixed = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** A server behind a bad network: counts by identity, refuses some events for good, and anything may fail. */
class BadWorld {
  counted = new Set();
  quietUntil = 0;
  quiet = false;

  constructor(random, clock) {
    Object.assign(this, { random, clock });
  }

  answer = (sent) => {
    const now = this.clock.now();
    assert.ok(now >= this.quietUntil, "Retry-After was not kept");
    const fate = this.quiet ? 1 : this.random();
    if (fate < 0.15) throw offline;
    if (fate < 0.3) {
      const seconds = Math.ceil(this.random() * 20);
      this.quietUntil = now + seconds * 1000;
      return problem(fate < 0.22 ? 429 : 503, "wait", { "Retry-After": String(seconds) });
    }
    if (fate < 0.36) return problem(500, "internal");
    if (sent.length > 20) return problem(413, "body_too_large");
    if (sent.some((one) => one.post_id === "ext:spoils")) return problem(400, "malformed_json");
    const results = sent.map((one) => this.judge(one));
    if (fate < 0.5) throw new Error("the answer is lost");
    return answer(202, { results });
  };

  judge(event) {
    if (event.post_id === "ext:gone") return { status: "rejected", code: "unknown_post" };
    const identity = JSON.stringify(event);
    const known = this.counted.has(identity);
    this.counted.add(identity);
    return { status: known ? "duplicate" : "accepted" };
  }
}

test("whatever happens, each event is counted once or told to be dropped", async () => {
  for (let seed = 1; seed <= 60; ++seed) {
    const random = randomOf(seed);
    const page = lifecycle();
    const storage = new MemoryStorage();
    const { clock, network, events, told } = setUp({ random, lifecycle: page, storage, maxBatchEvents: 30 });
    const world = new BadWorld(random, clock);
    network.answers = Array(10_000).fill(world.answer);
    const tracked = [];
    for (let n = 0; n < 300; ++n) {
      const what = random();
      const post = random() < 0.03 ? "ext:spoils" : random() < 0.05 ? "ext:gone" : "ext:good";
      if (what < 0.7) tracked.push(events.track("share", post));
      else if (what < 0.73) void events.flush();
      else if (what < 0.75) page.listeners.hide();
      else if (what < 0.77) page.listeners.online();
      else await clock.advance(random() * 3000);
    }
    world.quiet = true;
    while (events.pending > 0) await clock.step();
    const good = tracked.filter((event) => event.post_id === "ext:good").map((event) => JSON.stringify(event));
    assert.deepEqual([...world.counted].sort(), good.sort(), `seed ${seed}`);
    const dropped = told.dropped.map(([event, code]) => [event.post_id, code]);
    const bad = tracked.filter((event) => event.post_id !== "ext:good");
    assert.equal(dropped.length, bad.length, `seed ${seed}`);
    const codes = { "ext:spoils": "malformed_json", "ext:gone": "unknown_post" };
    for (const [post, code] of dropped) assert.equal(code, codes[post]);
    const sent = told.sent.reduce((sum, { events: taken }) => sum + taken.length, 0);
    assert.equal(sent, good.length, `seed ${seed}: an event was told to be sent twice, or not at all`);
    assert.deepEqual(storage.names(), []);
  }
});
