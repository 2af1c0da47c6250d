// Demo servers of the test's own, and their people.
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const builtBinary = fileURLToPath(new URL("../../build/release/novafeed", import.meta.url));

/**
 * Starts `novafeed serve --demo` with these settings, on a free port with a data directory of its own. `end` and `start`
 * are a restart at the same address with the same data; `stop` ends it for good.
 */
export async function startDemoServer(settings) {
  const directory = mkdtempSync(join(tmpdir(), "novafeed-page-"));
  const data = join(directory, "data");
  let running = await launch(data, "127.0.0.1:0", settings);
  const { url } = running;
  const end = () => running.end();
  const start = async () => {
    running = await launch(data, new URL(url).host, settings);
  };
  const stop = async () => {
    await end();
    rmSync(directory, { recursive: true, force: true });
  };
  return { url, end, start, stop };
}

async function launch(data, address, settings) {
  const binary = process.env.NOVAFEED_BINARY ?? builtBinary;
  const args = ["serve", "--demo", "--listen", address, "--data", data];
  for (const [name, value] of Object.entries(settings)) args.push("--set", `${name}=${value}`);
  const child = spawn(binary, args, { stdio: ["ignore", "pipe", "pipe"] });
  let log = "";
  child.stderr.on("data", (chunk) => (log = (log + chunk).slice(-10_000)));
  process.on("exit", () => child.kill("SIGKILL"));
  const ended = new Promise((resolve) => child.on("close", resolve));

  const url = await Promise.race([
    readyAddress(child),
    new Promise((_, reject) => {
      child.on("error", reject);
      child.on("close", (status) => reject(new Error(`${binary} ended with ${status} before it was ready:\n${log}`)));
    }),
  ]);
  const end = async () => {
    child.kill("SIGTERM");
    await ended;
  };
  return { url, end };
}

function readyAddress(child) {
  return new Promise((resolve) => {
    createInterface({ input: child.stdout }).on("line", (line) => {
      const ready = /^ready (http:\S+)$/.exec(line);
      if (ready) resolve(ready[1].replace(/\/$/, ""));
    });
  });
}

/** Acts on the API as one demo user, as a platform's own program would. */
export class Person {
  constructor(url, user, token) {
    Object.assign(this, { url, user, token });
  }

  static async of(url, user) {
    const { token } = await call(`${url}/demo/token`, "POST", { user_id: user.id });
    return new Person(url, user, token);
  }

  get(path) {
    return call(`${this.url}${path}`, "GET", undefined, this.token);
  }

  post(text) {
    return call(`${this.url}/api/v1/posts`, "POST", { text }, this.token);
  }

  like(postId) {
    return call(`${this.url}/api/v1/posts/${postId}/like`, "PUT", undefined, this.token);
  }

  comment(postId, text) {
    return call(`${this.url}/api/v1/posts/${postId}/comments`, "POST", { text }, this.token);
  }

  /** Every element of a list that is read page by page. */
  async all(path, name) {
    const elements = [];
    for (let cursor = ""; cursor !== null;) {
      const page = await this.get(`${path}?limit=100${cursor && `&cursor=${encodeURIComponent(cursor)}`}`);
      elements.push(...page[name]);
      cursor = page.next_cursor;
    }
    return elements;
  }
}

export async function demoUsers(url, limit, prefix = "") {
  return (await call(`${url}/demo/users?prefix=${encodeURIComponent(prefix)}&limit=${limit}`, "GET")).users;
}

async function call(url, method, body, token) {
  const headers = { "Content-Type": "application/json" };
  if (token) headers.Authorization = `Bearer ${token}`;
  const response = await fetch(url, { method, headers, body: body && JSON.stringify(body) });
  if (!response.ok) throw new Error(`${method} ${url}: ${response.status} ${await response.text()}`);
  return response.status === 204 ? undefined : response.json();
}
