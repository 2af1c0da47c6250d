// The feed: what it shows, scrolling it to its end, and coming back to it.
import assert from "node:assert/strict";
import {
  cardIds,
  cardOf,
  countOf,
  eventually,
  follow,
  isRead,
  likeOf,
  openFeed,
  openView,
  pressAndReread,
  scoreOf,
  scrollToEnd,
  unlikedIds,
} from "./acts.mjs";
import { Person } from "./demo_server.mjs";

export function addFeedTests(test) {
  test("the feed shows posts, their authors and where they come from", async ({ page, viewer, person }) => {
    await openFeed(page, viewer);
    const { items } = await person.get("/api/v1/feed?limit=20");
    const texts = await page.locator(".post .text").allTextContents();
    const known = new Set(items.map((item) => item.post.text));
    assert.ok(texts.filter((text) => known.has(text)).length >= items.length - 2, "the texts are others");
    await page
      .locator(".post .name-full")
      .nth(items.length - 1)
      .waitFor();
    const sources = await page.locator(".post .source").allInnerTexts();
    assert.equal(sources.length, await page.locator(".post").count());
    assert.ok(
      sources.every((source) => ["Following", "Trending", "Affinity", "New"].includes(source)),
      sources.join(),
    );
  });

  test("the three terms of a score sum to it, and their widths are in proportion", async ({ page, viewer }) => {
    await openFeed(page, viewer);
    const card = page.locator(".post").first();
    await card.locator("summary").click();
    const terms = (await card.locator(".terms td:nth-of-type(2)").allInnerTexts()).map(Number);
    assert.equal(terms.length, 3);
    const sum = terms.reduce((total, term) => total + term, 0);
    assert.ok(Math.abs(sum - (await scoreOf(card))) < 0.002, `${terms.join(" + ")} is not the score`);
    await page.waitForFunction(() => document.getAnimations().length === 0);
    const widths = await card
      .locator(".part")
      .evaluateAll((parts) => parts.map((part) => part.getBoundingClientRect().width));
    const total = widths.reduce((all, width) => all + width, 0);
    terms.forEach((term, place) =>
      assert.ok(Math.abs(widths[place] / total - term / sum) < 0.02, `${widths} for ${terms}`),
    );
  });

  test("the ranked feed is scrolled to its end without a repeat, and keeps its length", async ({ page, viewer }) => {
    await openFeed(page, viewer);
    const asked = [];
    page.on("request", (request) => request.url().includes("/api/v1/feed?") && asked.push(request.url()));
    await scrollToEnd(page);
    const ids = await cardIds(page);
    assert.ok(ids.length > 100, `only ${ids.length} posts`);
    assert.equal(new Set(ids).size, ids.length);
    assert.ok(asked.length >= Math.floor(ids.length / 20) - 1 && asked.every((url) => url.includes("cursor=")));
    assert.equal(await page.locator(".post").last().getAttribute("aria-setsize"), String(ids.length));

    await isRead(page);
    const card = cardOf(page, (await unlikedIds(page)).at(-1));
    const likes = await countOf(card, "like");
    await pressAndReread(page, likeOf(card));
    assert.ok((await page.locator(".post").count()) >= ids.length - 5, "an action has cut the list");
    assert.equal(await countOf(card, "like"), likes + 1);
  });

  test("the following feed is scrolled to its end, newest first, and is all of it", async ({
    page,
    viewer,
    person,
  }) => {
    await openFeed(page, viewer, "following");
    await scrollToEnd(page);
    const expected = [];
    for (let cursor = ""; cursor !== null;) {
      const answer = await person.get(`/api/v1/feed?mode=following&limit=100${cursor && `&cursor=${cursor}`}`);
      expected.push(...answer.items.map((item) => item.post.id));
      cursor = answer.next_cursor;
    }
    const ids = await cardIds(page);
    assert.equal(new Set(ids).size, ids.length);
    assert.deepEqual(ids.slice(-100), expected.slice(-100));
    const times = await page.locator(".post time").evaluateAll((all) => all.map((time) => time.dateTime));
    assert.deepEqual(times, [...times].sort().reverse());
    assert.equal(await page.locator(".score").count(), 0, "a list in the order of time shows scores");
  });

  test("each list of the feed explains its own order", async ({ page, viewer }) => {
    const about = page.getByRole("complementary").locator(".about");
    await openFeed(page, viewer);
    assert.match(await about.innerText(), /0\.30 × freshness[^]*Press a bar/);
    await follow(page, "Feed", "Following");
    await isRead(page);
    assert.match(await about.innerText(), /Newest first\.[^]*nothing is scored/);
    assert.doesNotMatch(await about.innerText(), /freshness|bar|Trending/);
    assert.ok((await page.locator(".post").count()) > 0);
    assert.equal(await page.locator(".post .source").count(), 0, "all of them are of whom one follows");
  });

  test("who comes back to the feed finds it as they left it", async ({ page, viewer }) => {
    await openFeed(page, viewer);
    await page.evaluate(() => scrollTo(0, document.documentElement.scrollHeight));
    await page.locator(".post").nth(25).waitFor();
    await page.locator(".post").nth(18).scrollIntoViewIfNeeded();
    const ids = await cardIds(page);
    const top = await page.evaluate(() => scrollY);
    assert.ok(top > 1000);
    await page.locator(".post").nth(18).locator(".name-link").click();
    await page.locator(".profile").waitFor();
    assert.equal(await page.evaluate(() => scrollY), 0);
    await page.goBack();
    await page.locator(".post .source").first().waitFor();
    assert.deepEqual((await cardIds(page)).slice(0, ids.length), ids);
    await page.waitForFunction((before) => Math.abs(scrollY - before) < 50, top);
    await follow(page, "Views", "Trending");
    await follow(page, "Views", "Feed");
    assert.equal(await page.evaluate(() => scrollY), 0, "a new visit does not begin at the top");
  });

  test("a live feed moves with what others do", async ({ page, url, viewer, person }) => {
    const { users } = await person.get(`/api/v1/users/${viewer.id}/following?limit=2`);
    const [author, other] = await Promise.all(users.map((user) => Person.of(url, user)));
    await openFeed(page, viewer, "following");
    await page.getByRole("button", { name: "Live" }).click();
    const { id } = await author.post("Seen without a press.");
    await cardOf(page, id).waitFor();
    assert.equal((await cardIds(page))[0], id);
    assert.equal(await cardOf(page, id).locator(".move").innerText(), "new");
    await other.like(id);
    await eventually(async () => assert.equal(await countOf(cardOf(page, id), "like"), 1));
  });

  test(
    "a live feed says that the server is away, and is live again when it is back",
    async ({ page, server, url, viewer, person }) => {
      const { users } = await person.get(`/api/v1/users/${viewer.id}/following?limit=1`);
      const author = await Person.of(url, users[0]);
      await openFeed(page, viewer, "following");
      const live = page.getByRole("button", { name: "Live" });
      await live.click();
      await server.end();
      const lost = page.getByRole("status").filter({ hasText: "Not live at the moment: the server does not answer." });
      await lost.waitFor();
      await likeOf(page.locator(".post").first()).click();
      const alert = page.locator(".alert", { hasText: "The server does not answer." });
      await alert.waitFor();
      assert.equal(await live.getAttribute("aria-pressed"), "true");
      assert.ok((await page.locator(".post").count()) > 0, "what was there is gone");
      await server.start();
      await page.locator(".notice", { hasText: "Live again." }).waitFor({ timeout: 40_000 });
      await lost.waitFor({ state: "detached" });
      await alert.waitFor({ state: "detached" });
      const { id } = await author.post("Seen after a restart.");
      await cardOf(page, id).waitFor();
    },
    { server: "restarted", allow: /net::ERR_/ },
  );

  test(
    "a live feed asks a server that does not answer less and less often",
    async ({ page, viewer }) => {
      let asked = 0;
      await page.clock.install();
      await openFeed(page, viewer, "following");
      await page.route("**/api/v1/feed?*", (route) => {
        ++asked;
        return route.abort();
      });
      await page.getByRole("button", { name: "Live" }).click();
      // A request that the page had sent by now would have come to the route before this one is answered.
      const settled = () => page.evaluate(() => fetch("/favicon.svg"));
      for (const [times, pause] of [3000, 6000, 12_000].entries()) {
        await page.clock.runFor(pause - 1500);
        await settled();
        assert.equal(asked, times, `asked again before ${pause} ms were over`);
        await page.clock.runFor(1500);
        await eventually(() => assert.equal(asked, times + 1));
        await page.getByText("Not live at the moment").waitFor();
        await settled();
      }
    },
    { allow: /net::ERR_FAILED/ },
  );

  test(
    "a feed that cannot be read says so, and is read again when told to",
    async ({ page, viewer }) => {
      await page.route("**/api/v1/feed?*", (route) => route.abort());
      await openView(page, viewer);
      await page.getByRole("alert").getByText("The server does not answer.").waitFor();
      await page.unroute("**/api/v1/feed?*");
      await page.getByRole("button", { name: "Try again" }).click();
      await page.locator(".post").first().waitFor();
    },
    { allow: /net::ERR_FAILED/ },
  );

  test(
    "a page of the feed that cannot be read is read again when told to",
    async ({ page, viewer }) => {
      await page.route("**/api/v1/feed?*cursor=*", (route) => route.abort());
      await openFeed(page, viewer);
      await page.evaluate(() => scrollTo(0, document.documentElement.scrollHeight));
      await page.getByRole("button", { name: "Try again" }).waitFor();
      await page.unroute("**/api/v1/feed?*cursor=*");
      await page.getByRole("button", { name: "Try again" }).click();
      await page.locator(".post").nth(25).waitFor();
      const ids = await cardIds(page);
      assert.equal(new Set(ids).size, ids.length);
    },
    { allow: /net::ERR_FAILED/ },
  );
}
