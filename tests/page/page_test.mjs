// page_test.mjs [URL]: see run.sh.
import assert from "node:assert/strict";
import { launchBrowser, openPage } from "./browser.mjs";
import { demoUsers, Person, startDemoServer } from "./demo_server.mjs";

const tests = [];

/** `allow`: console errors that the test provokes. `context`: options of the browser context. */
function test(name, body, { allow = /^$/, context = {} } = {}) {
  tests.push({ name, body, allow, context });
}

// --- What the tests do on a page -------------------------------------------------------------------------------------

async function showFeed(page, viewer) {
  await page.goto("/");
  await page.getByLabel("Find by handle").fill(viewer.handle);
  await page.locator(".person", { hasText: `@${viewer.handle}` }).first().click();
  await page.locator(".card").first().waitFor();
}

const cardIds = (page) => page.locator(".card").evaluateAll((cards) => cards.map((card) => card.dataset.post));
const cardOf = (page, id) => page.locator(`.card[data-post="${id}"]`);
const scoreOf = async (card) => Number((await card.locator(".score-value").innerText()).replace(/[^\d.-]/g, ""));
const countOf = async (card, button) => Number(await card.getByRole("button", { name: button }).locator("b").innerText());

/** Presses a button, and waits until the feed was read again after it. */
async function pressAndReread(page, button) {
  const reread = page.waitForResponse((answer) => answer.url().includes("/api/v1/feed?"));
  await button.click();
  await (await reread).finished();
  await page.locator('section[aria-busy="false"]').waitFor();
}

async function openTab(page, name) {
  const read = page.waitForResponse((answer) => /\/api\/v1\/(feed|users\/[^/]+\/posts)\?/.test(answer.url()));
  await page.getByRole("button", { name, exact: true }).click();
  await (await read).finished();
  await page.locator('section[aria-busy="false"]').waitFor();
}

async function loadUntil(page, card) {
  while ((await card.count()) === 0) await pressAndReread(page, page.getByRole("button", { name: "Load more" }));
}

/** Likes cards from the bottom up until one of them moves up; demo people may have liked some before. */
async function likeUntilOneMoves(page) {
  for (let place = 19; place > 4; --place) {
    const before = await cardIds(page);
    const id = before[place];
    const card = cardOf(page, id);
    const likes = await countOf(card, /Like/);
    const score = await scoreOf(card);
    await pressAndReread(page, card.getByRole("button", { name: /Like/ }));
    const after = (await cardIds(page)).indexOf(id);
    if (after < 0 || after >= place || (await countOf(card, /Liked/)) !== likes + 1) continue;
    return { card, score, moved: place - after };
  }
  throw new Error("no liked card moved up");
}

async function noSidewaysScroll(page, what) {
  const [content, window] = await page.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
  assert.ok(content <= window, `${what} is ${content} px wide in a window of ${window}`);
}

/** Contrast of an element's text with what is behind it, as WCAG 2 defines it. */
function contrastOf(locator) {
  return locator.evaluate((element) => {
    const canvas = document.createElement("canvas").getContext("2d");
    const rgba = (color) => {
      canvas.clearRect(0, 0, 1, 1);
      canvas.fillStyle = color;
      canvas.fillRect(0, 0, 1, 1);
      return [...canvas.getImageData(0, 0, 1, 1).data];
    };
    const linear = (value) => (value / 255 <= 0.04045 ? value / 255 / 12.92 : ((value / 255 + 0.055) / 1.055) ** 2.4);
    const luminance = ([r, g, b]) => 0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b);
    let behind = element;
    while (behind.parentElement && rgba(getComputedStyle(behind).backgroundColor)[3] === 0) behind = behind.parentElement;
    const ink = luminance(rgba(getComputedStyle(element).color));
    const paper = luminance(rgba(getComputedStyle(behind).backgroundColor));
    return (Math.max(ink, paper) + 0.05) / (Math.min(ink, paper) + 0.05);
  });
}

// --- The tests -------------------------------------------------------------------------------------------------------

test("a viewer is found by the beginning of their handle", async ({ page, viewer }) => {
  await page.goto("/");
  const beginning = `@${viewer.handle.slice(0, 4)}`;
  await page.getByLabel("Find by handle").fill(viewer.handle.slice(0, 4));
  // The viewer may have been in the list before: the others have to go.
  await page.locator(".person").filter({ hasNotText: beginning }).first().waitFor({ state: "detached" });
  const handles = await page.locator(".person .name-handle").allInnerTexts();
  assert.ok(handles.includes(`@${viewer.handle}`), handles.join());
  const people = await page.locator(".person .who").allInnerTexts();
  const letters = viewer.handle.slice(0, 4).toLowerCase();
  assert.ok(people.every((person) => person.toLowerCase().includes(letters)), people.join());
});

test("the feed shows posts, their authors and where they come from", async ({ page, viewer, person }) => {
  await showFeed(page, viewer);
  const { items } = await person.get("/api/v1/feed?limit=20");
  assert.equal(await page.locator(".card").count(), items.length);
  const texts = await page.locator(".card .text").allTextContents();
  const known = new Set(items.map((item) => item.post.text));
  assert.ok(texts.filter((text) => known.has(text)).length >= items.length - 2, "the texts are others");
  await page.locator(".card .name-full").nth(items.length - 1).waitFor();
  const sources = await page.locator(".card .source").allInnerTexts();
  assert.equal(sources.length, items.length);
});

test("the three terms of a score sum to it, and their widths are in proportion", async ({ page, viewer }) => {
  await showFeed(page, viewer);
  const card = page.locator(".card").first();
  await card.locator("summary").click();
  const terms = (await card.locator(".terms td:nth-of-type(2)").allInnerTexts()).map(Number);
  assert.equal(terms.length, 3);
  const sum = terms.reduce((total, term) => total + term, 0);
  assert.ok(Math.abs(sum - (await scoreOf(card))) < 0.002, `${terms.join(" + ")} is not the score`);
  await page.waitForFunction(() => document.getAnimations().length === 0);
  const widths = await card.locator(".part").evaluateAll((parts) => parts.map((part) => part.getBoundingClientRect().width));
  const total = widths.reduce((all, width) => all + width, 0);
  terms.forEach((term, place) => assert.ok(Math.abs(widths[place] / total - term / sum) < 0.02, `${widths} for ${terms}`));
});

test("a like raises the post's score and moves it up, with a hint", async ({ page, viewer }) => {
  await showFeed(page, viewer);
  const { card, score, moved } = await likeUntilOneMoves(page);
  assert.ok((await scoreOf(card)) > score);
  assert.equal(await card.locator(".move").innerText(), `▲${moved}`);
  assert.equal(await card.locator(".move").getAttribute("aria-label"), `up ${moved} place${moved === 1 ? "" : "s"}`);
  assert.ok((await page.glides()) > 0, "nothing was animated");
  const focused = await card.getByRole("button", { name: /Liked/ }).evaluate((button) => button === document.activeElement);
  assert.ok(focused, "the button lost the focus when its card was moved");
});

test("an unlike takes the like back", async ({ page, viewer }) => {
  await showFeed(page, viewer);
  // The tab whose order is that of time: without its like a ranked post may fall out of the feed.
  await openTab(page, "Following");
  const unliked = page.locator(".card", { has: page.getByRole("button", { name: /Like /, pressed: false }) }).first();
  const card = cardOf(page, await unliked.getAttribute("data-post"));
  const likes = await countOf(card, /Like/);
  await pressAndReread(page, card.getByRole("button", { name: /Like/ }));
  assert.equal(await countOf(card, /Liked/), likes + 1);
  await pressAndReread(page, card.getByRole("button", { name: /Liked/ }));
  assert.equal(await countOf(card, /Like/), likes);
  assert.equal(await card.getByRole("button", { name: /Like/ }).getAttribute("aria-pressed"), "false");
});

test("cards jump without animation for who wants less motion", async ({ page, viewer }) => {
  await showFeed(page, viewer);
  await likeUntilOneMoves(page);
  assert.equal(await page.glides(), 0);
}, { context: { reducedMotion: "reduce" } });

test("a comment is counted and shown", async ({ page, viewer }) => {
  await showFeed(page, viewer);
  const card = cardOf(page, (await cardIds(page))[0]);
  const before = await countOf(card, /^Comment/);
  await card.getByRole("button", { name: /^Comment/ }).click();
  await card.getByLabel("Write a comment").fill("Is <b>this</b> text? 👍");
  await pressAndReread(page, card.getByRole("button", { name: "Comment", exact: true }));
  assert.equal(await card.locator(".comment .text").first().innerText(), "Is <b>this</b> text? 👍");
  assert.equal(await countOf(card, /^Comment \d/), before + 1);
  assert.equal(await card.getByLabel("Write a comment").inputValue(), "");
});

test("a share is counted", async ({ page, viewer }) => {
  await showFeed(page, viewer);
  const card = cardOf(page, (await cardIds(page))[0]);
  const before = await countOf(card, /^Share/);
  await pressAndReread(page, card.getByRole("button", { name: /^Share/ }));
  assert.equal(await countOf(card, /^Share/), before + 1);
});

test("following brings an author's posts in, unfollowing takes them out", async ({ page, url, viewer }) => {
  await showFeed(page, viewer);
  const card = page.locator(".card", { has: page.getByRole("button", { name: "Follow", exact: true }) }).first();
  await loadUntil(page, card);
  const handle = (await card.locator(".name-handle").innerText()).slice(1);
  const [author] = (await demoUsers(url, 100, handle)).filter((user) => user.handle === handle);
  const { id } = await (await Person.of(url, author)).post("Somebody should follow me for this.");
  const post = cardOf(page, id);

  await openTab(page, "Following");
  assert.equal(await post.count(), 0);
  await openTab(page, "For you");
  await loadUntil(page, card);
  const same = page.locator(".card", { hasText: `@${handle}` }).first();
  await pressAndReread(page, same.getByRole("button", { name: "Follow", exact: true }));
  await openTab(page, "Following");
  await post.waitFor();
  await pressAndReread(page, post.getByRole("button", { name: "Unfollow" }));
  assert.equal(await post.count(), 0);
});

test("loading more never repeats a post", async ({ page, viewer }) => {
  await showFeed(page, viewer);
  const more = page.getByRole("button", { name: "Load more" });
  let ids = await cardIds(page);
  while ((await more.count()) > 0) {
    await pressAndReread(page, more);
    const longer = await cardIds(page);
    assert.deepEqual(longer.slice(0, ids.length), ids, "a page changed what stood before it");
    assert.ok(longer.length > ids.length || (await more.count()) === 0, "a page brought nothing");
    ids = longer;
  }
  assert.ok(ids.length > 20, `only ${ids.length} posts`);
  assert.equal(new Set(ids).size, ids.length);
  await page.getByText("That is all.").waitFor();
});

test("hostile text stays text", async ({ page, url, viewer, person }) => {
  const { users } = await person.get(`/api/v1/users/${viewer.id}/following?limit=1`);
  const author = await Person.of(url, users[0]);
  const texts = [
    "<script>window.hacked = 1</script><img src=x onerror='window.hacked = 2'><svg onload='window.hacked = 3'>",
    "javascript:window.hacked=4 [x](javascript:window.hacked=5) &lt;b&gt; &amp; ${window.hacked=6} {{7*7}}",
    "right to left \u202e gnorw si siht \u2066 isolate \u202d override \u2069 and never closed \u202b\u202e",
    "line one\n\u202eline two\n  three \u0007\u200d\ufeff.",
    "unbroken".repeat(400),
  ];
  for (const text of texts) await author.post(text);
  await showFeed(page, viewer);
  await openTab(page, "Following");
  for (const text of texts) {
    const shown = page.locator(".card .text").filter({ hasText: text.slice(0, 20).split("\n")[0] }).first();
    assert.equal(await shown.evaluate((element) => element.textContent), text);
    assert.ok(await shown.evaluate((element) => element.childNodes.length === 1 && element.firstChild.nodeType === 3));
    assert.equal(await shown.evaluate((element) => getComputedStyle(element).unicodeBidi), "plaintext");
  }
  assert.equal(await page.locator(".card a, .card script, .card .text *").count(), 0);
  assert.equal(await page.evaluate(() => window.hacked), undefined);
  await noSidewaysScroll(page, "a page with an endless word");
});

test("a post that is written here shows among one's own", async ({ page, viewer }) => {
  await showFeed(page, viewer);
  const text = `Written on the page at ${new Date().toISOString()}`;
  await page.getByLabel("What is new?").fill(text);
  await pressAndReread(page, page.getByRole("button", { name: "Post", exact: true }));
  assert.equal(await page.getByLabel("What is new?").inputValue(), "");
  await openTab(page, "Your posts");
  const own = page.locator(".card").first();
  assert.equal(await own.locator(".text").innerText(), text);
  assert.equal(await own.getByRole("button", { name: /ollow/ }).count(), 0, "one can follow oneself");
});

test("a text that is too long is not sent", async ({ page, viewer }) => {
  await showFeed(page, viewer);
  await page.getByLabel("What is new?").fill("x".repeat(10_001));
  await page.getByText("1 characters too many").waitFor();
  assert.ok(await page.getByRole("button", { name: "Post", exact: true }).isDisabled());
});

test("each seen card is reported once", async ({ page, viewer }) => {
  const reported = [];
  page.on("request", (request) => {
    if (!request.url().endsWith("/api/v1/events")) return;
    for (const event of request.postDataJSON().events) if (event.type === "impression") reported.push(event.post_id);
  });
  await showFeed(page, viewer);
  const ids = await cardIds(page);
  const allReported = async () => {
    for (const id of ids) await cardOf(page, id).scrollIntoViewIfNeeded();
    return ids.every((id) => reported.includes(id));
  };
  for (const deadline = Date.now() + 15_000; !(await allReported()); ) {
    assert.ok(Date.now() < deadline, `${reported.length} of ${ids.length} cards were reported`);
    await page.waitForRequest((request) => request.url().endsWith("/api/v1/events"), { timeout: 5000 }).catch(() => {});
  }
  // A second look at all of them, and an event after it that is certain to be sent.
  for (const id of ids) await cardOf(page, id).scrollIntoViewIfNeeded();
  await pressAndReread(page, cardOf(page, ids[0]).getByRole("button", { name: /^Share/ }));
  assert.equal(new Set(reported).size, reported.length);
});

test("what could not be told is told after a reload, once", async ({ page, viewer, person }) => {
  const { id } = await person.get("/api/v1/feed?limit=1").then(({ items }) => items[0].post);
  const countsOf = async () => (({ impressions, shares }) => ({ impressions, shares }))(await person.get(`/api/v1/posts/${id}`));
  const before = await countsOf();
  await page.route("**/api/v1/events", (route) => route.abort());
  await showFeed(page, viewer);
  await cardOf(page, id).getByRole("button", { name: /^Share/ }).click();
  await page.locator(".alert", { hasText: "Not counted yet, it will be sent again." }).waitFor();
  assert.deepEqual(await countsOf(), before);
  const waiting = () => page.evaluate(() => Object.keys(localStorage).filter((name) => name.startsWith("novafeed.events.")).length);
  assert.ok((await waiting()) >= 2, "the share and the impression do not wait");
  await page.unroute("**/api/v1/events");
  await page.reload();
  await page.waitForFunction((share) => {
    const events = Object.keys(localStorage).filter((name) => name.startsWith("novafeed.events."));
    return !events.some((name) => localStorage.getItem(name).includes(share));
  }, '"type":"share"');
  const after = await countsOf();
  assert.equal(after.shares, before.shares + 1);
  // The card was seen in both lives of the page; the second may not have told yet.
  assert.ok([1, 2].includes(after.impressions - before.impressions), `${after.impressions} - ${before.impressions}`);
}, { allow: /net::ERR_FAILED/ });

test("the viewer is still the same after a reload", async ({ page, viewer }) => {
  await showFeed(page, viewer);
  await page.reload();
  await page.locator(".card").first().waitFor();
  assert.equal(await page.locator(".viewer .name-handle").innerText(), `@${viewer.handle}`);
  await page.getByRole("button", { name: "Change" }).click();
  await page.getByLabel("Find by handle").waitFor();
});

test("what the server refuses is shown in its words", async ({ page, viewer }) => {
  const detail = "Too many requests: wait 2 seconds, then try again.";
  await page.route("**/like", (route) =>
    route.fulfill({ status: 429, contentType: "application/problem+json", json: { status: 429, code: "rate_limited", detail } }),
  );
  await showFeed(page, viewer);
  await page.locator(".act-like").first().click();
  assert.match(await page.getByRole("alert").locator(".alert").innerText(), new RegExp(detail));
  assert.equal(await page.locator(".act-like").first().getAttribute("aria-pressed"), "false");
  await page.getByRole("button", { name: "Close this message" }).click();
  assert.equal(await page.locator(".alert").count(), 0);
}, { allow: /status of 429/ });

test("a server that is no demo is given a token", async ({ page, viewer, person }) => {
  await page.route("**/demo/users*", (route) => route.fulfill({ status: 404, json: { detail: "No such route." } }));
  await page.goto("/");
  await page.getByLabel("Token", { exact: true }).fill("nonsense");
  await page.getByRole("button", { name: "Show the feed" }).click();
  await page.locator(".alert", { hasText: "novafeed token" }).waitFor();
  await page.getByLabel("Token", { exact: true }).fill(person.token);
  await page.getByLabel("User id").fill("ext:nobody");
  await page.getByRole("button", { name: "Show the feed" }).click();
  await page.locator(".alert", { hasText: "leave the field User id empty" }).waitFor();
  await page.getByLabel("Token", { exact: true }).fill(person.token);
  await page.getByLabel("User id").fill("");
  await page.getByRole("button", { name: "Show the feed" }).click();
  await page.locator(".card").first().waitFor();
  assert.equal(await page.locator(".viewer .name-handle").innerText(), `@${viewer.handle}`);
}, { allow: /status of (404|403)/ });

test("an expired token is renewed", async ({ page, viewer }) => {
  await showFeed(page, viewer);
  let refused = 0;
  await page.route("**/api/v1/feed*", (route) =>
    refused++ === 0 ? route.fulfill({ status: 401, json: { detail: "The token has expired." } }) : route.continue(),
  );
  const renewed = page.waitForResponse((answer) => answer.url().includes("/api/v1/feed") && answer.status() === 200);
  await page.getByRole("button", { name: "Following", exact: true }).click();
  await renewed;  // cards of the feed before may still stand there
  await page.locator(".card").first().waitFor();
  assert.ok(refused > 1);
  assert.equal(await page.locator(".alert").count(), 0);
}, { allow: /status of 401/ });

test("everything can be named by a screen reader", async ({ page, viewer }) => {
  await showFeed(page, viewer);
  await page.locator(".card").first().getByRole("button", { name: /^Comment/ }).click();
  const nameless = await page.evaluate(() => {
    const fields = [...document.querySelectorAll("input, textarea")].filter((field) => field.labels.length === 0);
    const buttons = [...document.querySelectorAll("button")].filter((one) => !(one.ariaLabel || one.textContent.trim()));
    return [...fields, ...buttons].map((element) => element.outerHTML);
  });
  assert.deepEqual(nameless, []);
  assert.match(await page.locator(".bar").first().getAttribute("aria-label"), /freshness [\d.]+, engagement [\d.]+, affinity/);
});

test("nothing is wider than a phone", async ({ page, viewer }) => {
  await page.goto("/");
  await page.locator(".person").first().waitFor();
  await noSidewaysScroll(page, "the choice of a viewer");
  await showFeed(page, viewer);
  const card = page.locator(".card").first();
  await card.locator("summary").click();
  await card.getByRole("button", { name: /^Comment/ }).click();
  await noSidewaysScroll(page, "the feed");
}, { context: { viewport: { width: 360, height: 740 }, hasTouch: true } });

for (const colorScheme of ["light", "dark"]) {
  test(`the page can be read in ${colorScheme} mode`, async ({ page, viewer }) => {
    await showFeed(page, viewer);
    const background = await page.evaluate(() => getComputedStyle(document.body).backgroundColor);
    const brightness = background.match(/\d+/g).slice(0, 3).reduce((sum, part) => sum + Number(part), 0) / 3;
    assert.equal(brightness > 128 ? "light" : "dark", colorScheme, `the page is ${background}`);
    await page.locator(".card summary").first().click();
    const readable = [".text", ".name-handle", "time", ".source", ".seen", ".act-like", ".origin", ".part", ".about p", ".tabs button"];
    for (const selector of readable) {
      const contrast = await contrastOf(page.locator(selector).first());
      assert.ok(contrast >= 4.5, `${selector} has a contrast of ${contrast.toFixed(2)}`);
    }
  }, { context: { colorScheme } });
}

test("the page's policy allows nothing from elsewhere and nothing inline", async ({ url }) => {
  const policy = (await fetch(`${url}/`)).headers.get("content-security-policy") ?? "";
  assert.match(policy, /default-src 'self'/);
  assert.doesNotMatch(policy, /unsafe|https?:|\*/);
});

// --- Running them ----------------------------------------------------------------------------------------------------

/** Viewers with a feed worth testing; each test has one of its own, so that none depends on another. */
async function chooseViewers(url, count) {
  const users = (await demoUsers(url, 100)).filter((user) => user.following >= 8);
  assert.ok(users.length >= count, `the demo has only ${users.length} people who follow enough`);
  return users.slice(0, count);
}

async function runTest(browser, url, viewer, { name, body, allow, context }) {
  const page = await openPage(browser, url, context);
  try {
    const person = await Person.of(url, viewer);
    await body({ page, url, viewer, person });
    assert.deepEqual(page.complaints.filter((complaint) => !allow.test(complaint)), [], "the browser complained");
    console.log(`PASS ${name}`);
    return true;
  } catch (error) {
    console.log(`FAIL ${name}`);
    console.error(`${name} (viewer ${viewer.handle}): ${error.stack}\n${page.complaints.join("\n")}`);
    return false;
  } finally {
    await page.context().close();
  }
}

const given = process.argv[2];
const server = given ? { url: given.replace(/\/$/, ""), stop: async () => {} } : await startDemoServer();
const browser = await launchBrowser();
let failed = 0;
try {
  const viewers = await chooseViewers(server.url, tests.length);
  for (const [number, one] of tests.entries()) {
    if (!(await runTest(browser, server.url, viewers[number], one))) ++failed;
  }
} finally {
  await browser.close();
  await server.stop();
}
process.exitCode = failed > 0 ? 1 : 0;
