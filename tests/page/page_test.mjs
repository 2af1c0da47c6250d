// page_test.mjs [PART OF A NAME]: see run.sh.
import assert from "node:assert/strict";
import { launchBrowser, openPage } from "./browser.mjs";
import { demoUsers, Person, startDemoServer } from "./demo_server.mjs";
import { addDocsTests } from "./docs_tests.mjs";
import { addFeedTests } from "./feed_tests.mjs";
import { addLooksTests } from "./looks_tests.mjs";
import { addPeopleTests } from "./people_tests.mjs";
import { addPipelineTests } from "./pipeline_tests.mjs";
import { addPostTests } from "./post_tests.mjs";
import { addViewerTests } from "./viewer_tests.mjs";

// Pages mostly wait for something, so that two of them hardly slow each other down.
const atATime = 2;

// The list of the hour is made anew every second, so that a test need not wait for it.
const servers = {
  plain: { "warehouse.engine": "off", "hot_posts.refresh_every": "1s" },
  warehouse: {},
  restarted: { "warehouse.engine": "off" },  // for the one test that ends it and starts it again
};

const tests = [];

/** `allow`: console errors that the test provokes. `context`: options of the browser's. `server`: one of the above. */
function test(name, body, { allow = /^$/, context = {}, server = "plain" } = {}) {
  tests.push({ name, body, allow, context, server });
}

addFeedTests(test);
addPostTests(test);
addPeopleTests(test);
addLooksTests(test);
addViewerTests(test);
addDocsTests(test);
addPipelineTests(test);  // last: their server is the slowest to start

/** Viewers with a feed worth testing; each test has one of its own, so that none depends on another. */
async function chooseViewers(url, count) {
  const users = (await demoUsers(url, 100)).filter((user) => user.following >= 8);
  assert.ok(users.length >= count, `the demo has only ${users.length} people who follow enough`);
  return users.slice(0, count);
}

async function runTest(browser, server, viewer, { name, body, allow, context }) {
  const { url } = server;
  const page = await openPage(browser, url, context);
  try {
    const person = await Person.of(url, viewer);
    await body({ page, server, url, viewer, person });
    assert.deepEqual(
      page.complaints.filter((complaint) => !allow.test(complaint)),
      [],
      "the browser complained",
    );
    console.log(`PASS ${name}`);
  } catch (error) {
    console.log(`FAIL ${name}`);
    console.error(`${name} (viewer ${viewer.handle}): ${error.stack}\n${page.complaints.join("\n")}`);
    process.exitCode = 1;
  } finally {
    await page.context().close();
  }
}

const wanted = tests.filter(({ name }) => name.includes(process.argv[2] ?? ""));
const started = Object.fromEntries(
  Object.entries(servers)
    .filter(([kind]) => wanted.some(({ server }) => server === kind))
    .map(([kind, settings]) => [kind, startDemoServer(settings)]),
);
const browser = await launchBrowser();
try {
  const queue = [...wanted.entries()];
  const runSome = async () => {
    for (let next = queue.shift(); next; next = queue.shift()) {
      const [number, one] = next;
      const server = await started[one.server];
      await runTest(browser, server, (await chooseViewers(server.url, wanted.length))[number], one);
    }
  };
  await Promise.all(Array.from({ length: atATime }, runSome));
} finally {
  await browser.close();
  for (const server of Object.values(started)) await (await server).stop();
}
