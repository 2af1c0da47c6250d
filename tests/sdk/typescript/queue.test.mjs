import assert from "node:assert/strict";
import test from "node:test";
import { Queue } from "../../../sdk/typescript/dist/queue.js";
import { browserStorage, MemoryStorage, newId, WebStorage } from "../../../sdk/typescript/dist/index.js";

const limits = { maxEvents: 1000, maxBytes: 1e6 };
const event = (number) => ({ event_id: newId(), type: "share", post_id: `ext:${number}`, at: number });
const posts = (entries) => entries.map((entry) => entry.event.post_id.slice(4)).join();

function queueIn(storage, { name = "ada", bounds = limits, errors = [] } = {}) {
  const queue = new Queue(storage, name, bounds, (error) => errors.push(error));
  queue.load();
  return queue;
}

function fill(queue, count) {
  for (let number = 0; number < count; ++number) queue.add(event(number), 1000 + number);
}

test("ids are random UUIDs", () => {
  const ids = Array.from({ length: 1000 }, newId);
  assert.equal(new Set(ids).size, ids.length);
  for (const id of ids) assert.match(id, /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
});

test("a batch is the oldest events that fit, but at least one", () => {
  const queue = queueIn(new MemoryStorage());
  fill(queue, 5);
  assert.equal(posts(queue.batch(3, 1e6)), "0,1,2");
  assert.equal(posts(queue.batch(3, 1e6, (entry) => entry.number > 3)), "3,4");
  const [first] = queue.batch(1, 1);
  assert.equal(posts([first]), "0");
  assert.equal(posts(queue.batch(9, 2 * first.bytes)), "0,1");
});

test("what is settled waits no more", () => {
  const storage = new MemoryStorage();
  const queue = queueIn(storage);
  fill(queue, 3);
  const [first] = queue.batch(1, 1e6);
  assert.ok(queue.settle(first));
  assert.ok(!queue.settle(first));
  assert.equal(posts(queue.batch(9, 1e6)), "1,2");
  assert.equal(storage.names().length, 2);
  queue.batch(9, 1e6).forEach((entry) => queue.settle(entry));
  assert.deepEqual([queue.size, queue.bytes, storage.names()], [0, 0, []]);
});

test("too many events: the oldest go", () => {
  const queue = queueIn(new MemoryStorage(), { bounds: { ...limits, maxEvents: 2 } });
  fill(queue, 2);
  assert.deepEqual(queue.add(event(2), 2000).map((gone) => gone.post_id), ["ext:0"]);
  assert.equal(posts(queue.batch(9, 1e6)), "1,2");
});

test("too many bytes: the oldest go, also the new one where it has no room at all", () => {
  const storage = new MemoryStorage();
  const queue = queueIn(storage, { bounds: { ...limits, maxBytes: 400 } });
  fill(queue, 10);
  assert.ok(queue.bytes <= 400 && queue.size > 1);
  assert.equal(posts(queue.batch(1, 1e6)), String(10 - queue.size));
  const large = { ...event(11), post_id: `ext:${"é".repeat(200)}` };
  assert.equal(queue.add(large, 3000).at(-1), large);
  assert.deepEqual([queue.size, storage.names()], [0, []]);
});

test("what is on its way is never thrown out", () => {
  const queue = queueIn(new MemoryStorage(), { bounds: { ...limits, maxEvents: 2 } });
  fill(queue, 2);
  queue.batch(1, 1e6)[0].sending = 1;
  assert.deepEqual(queue.add(event(2), 2000).map((gone) => gone.post_id), ["ext:1"]);
  assert.equal(posts(queue.batch(9, 1e6)), "0,2");
});

test("what waits is there again in the next life, the same and in order", () => {
  const storage = new MemoryStorage();
  const before = queueIn(storage);
  fill(before, 12);
  const after = queueIn(storage);
  assert.deepEqual(after.batch(99, 1e6).map((entry) => entry.json), before.batch(99, 1e6).map((entry) => entry.json));
  assert.equal(after.bytes, before.bytes);
});

test("tabs share a storage without losing or overwriting anything", () => {
  const storage = new MemoryStorage();
  const [one, two] = [queueIn(storage), queueIn(storage)];
  for (let number = 0; number < 20; ++number) (number % 2 ? one : two).add(event(number), 1000);
  one.settle(one.batch(1, 1e6)[0]);
  assert.equal(queueIn(storage).size, 19);
});

test("queues of different names keep apart", () => {
  const storage = new MemoryStorage();
  fill(queueIn(storage, { name: "ada" }), 1);
  fill(queueIn(storage, { name: "ada/b" }), 2);
  fill(queueIn(storage, { name: "ada/" }), 3);
  assert.deepEqual(["ada", "ada/b", "ada/", ""].map((name) => queueIn(storage, { name }).size), [1, 2, 3, 0]);
});

test("a full storage loses nothing that is in memory", () => {
  const storage = new MemoryStorage();
  storage.write = () => {
    throw new Error("quota exceeded");
  };
  const errors = [];
  const queue = queueIn(storage, { errors });
  fill(queue, 3);
  assert.equal(posts(queue.batch(9, 1e6)), "0,1,2");
  assert.equal(errors.length, 3);
});

test("what is no event in the storage is removed", () => {
  const storage = new MemoryStorage();
  fill(queueIn(storage), 1);
  const prefix = storage.names()[0].split("/")[0];
  storage.write(`${prefix}/broken`, '{"event_id":"x');
  storage.write(`${prefix}/number`, "7");
  storage.write("of somebody else", "stays");
  assert.equal(queueIn(storage).size, 1);
  assert.deepEqual(storage.names().filter((name) => !/\d{9}/.test(name)), ["of somebody else"]);
});

test("a queue that is smaller than before keeps the newest", () => {
  const storage = new MemoryStorage();
  fill(queueIn(storage), 5);
  const queue = new Queue(storage, "ada", { ...limits, maxEvents: 2 }, assert.fail);
  assert.equal(queue.load().length, 3);
  assert.equal(posts(queue.batch(9, 1e6)), "3,4");
});

test("WebStorage speaks to a Storage of the browser", () => {
  const items = new Map();
  const area = {
    get length() {
      return items.size;
    },
    key: (place) => [...items.keys()][place] ?? null,
    getItem: (name) => items.get(name) ?? null,
    setItem: (name, text) => items.set(name, text),
    removeItem: (name) => items.delete(name),
  };
  fill(queueIn(new WebStorage(area)), 3);
  const queue = queueIn(new WebStorage(area));
  assert.equal(queue.size, 3);
  queue.settle(queue.batch(1, 1)[0]);
  assert.equal(items.size, 2);
});

test("without localStorage there is memory", () => {
  assert.ok(browserStorage() instanceof MemoryStorage);
});
