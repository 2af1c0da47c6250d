// driver.mjs CONFIG: a program with one client of the TypeScript SDK. Speaks as ../driver.py does.
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { EventsClient } from "../../../sdk/typescript/dist/index.js";

/** Stands in for localStorage, which Node has not: a file for each name, there or not there at any kill -9. */
class FolderStorage {
  constructor(folder) {
    this.folder = folder;
    mkdirSync(folder, { recursive: true });
  }
  names() {
    return readdirSync(this.folder).filter((name) => !name.endsWith(".part")).map(decodeURIComponent);
  }
  read(name) {
    return readFileSync(this.path(name), "utf8");
  }
  write(name, text) {
    writeFileSync(`${this.path(name)}.part`, text);
    renameSync(`${this.path(name)}.part`, this.path(name));
  }
  remove(name) {
    rmSync(this.path(name), { force: true });
  }
  path(name) {
    return join(this.folder, encodeURIComponent(name));
  }
}

const config = JSON.parse(process.argv[2]);
const say = (what, value) => process.stdout.write(`${JSON.stringify({ what, value })}\n`);

const events = new EventsClient({
  url: config.url,
  token: () => readFileSync(config.token_file, "utf8"),
  storage: new FolderStorage(config.queue),
  maxBatchEvents: config.batch,
  flushIntervalMs: config.flush_seconds * 1000,
  backoffBaseMs: config.backoff_base * 1000,
  backoffMaxMs: config.backoff_max * 1000,
  requestTimeoutMs: config.request_timeout * 1000,
  onSent: (sent) => say("sent", { events: sent.events.map((event) => event.event_id), duplicates: sent.duplicates }),
  onDropped: (event, why) => say("dropped", { event_id: event.event_id, code: why.code }),
  onProblem: (problem) => say("problem", problem),
});

for await (const line of createInterface({ input: process.stdin })) {
  const command = JSON.parse(line);
  if (command.do === "track") {
    const at = command.at === undefined ? {} : { at: command.at };
    say("answer", events.track(command.type, command.post_id, at));
  } else if (command.do === "flush") {
    say("answer", await events.flush());
  } else {
    say("answer", await events.close(command.deadline * 1000));
  }
}
