// The pipeline's health as live charts.
import assert from "node:assert/strict";
import { eventually, follow, isRead, likeOf, openFeed, openView, pressAndReread } from "./acts.mjs";

const figure = (page, name) => page.locator(`[data-figure="${name}"]`);
const valueOf = (page, name) => figure(page, name).locator(".figure-value").innerText();
const numberIn = (text) => Number(text.replace(/[^\d]/g, ""));

export function addPipelineTests(test) {
  test(
    "the charts show what the server says, and go on with it",
    async ({ page, viewer, person }) => {
      await openFeed(page, viewer);
      await follow(page, "Views", "Pipeline");
      const rowsNow = async () => {
        const { warehouse } = await person.get("/api/v1/pipeline");
        return warehouse.tables.reduce((sum, { rows }) => sum + rows, 0);
      };
      const asTold = () =>
        eventually(async () => assert.equal(numberIn(await valueOf(page, "warehouse")), await rowsNow()));
      await asTold();
      await eventually(async () => {
        const { log, warehouse, index } = await person.get("/api/v1/pipeline");
        const told = await figure(page, "log").locator(".figure-meaning").innerText();
        assert.deepEqual(told.match(/[\d,]+/g).map(numberIn), [log.changes, log.events]);
        assert.deepEqual(warehouse.applied, log);
        assert.deepEqual(index.applied, log);
        assert.match(await figure(page, "warehouse").locator(".figure-meaning").innerText(), /follows the log/);
      });
      const { warehouse, jobs } = await person.get("/api/v1/pipeline");
      const tables = await figure(page, "warehouse").locator(".tables th").allInnerTexts();
      const known = warehouse.tables.map(({ table }) => table);
      assert.ok(tables.length >= 5 && tables.every((table) => known.includes(table)), tables.join());
      const names = await figure(page, "jobs").locator("tbody th").allInnerTexts();
      assert.deepEqual(
        names,
        jobs.map(({ job }) => job.replaceAll("_", " ")),
      );
      const runs = async () =>
        numberIn(await figure(page, "jobs").locator("tr", { hasText: "trending" }).locator("td").last().innerText());
      const before = await runs();
      await eventually(async () => assert.ok((await runs()) > before, "the jobs stand still"));

      // A new row comes to the warehouse, and the line goes on. (All together may be fewer: merges remove old ones.)
      const row = figure(page, "warehouse").locator(".tables tr", { hasText: "likes_cdc" }).locator(".number");
      const likes = numberIn(await row.innerText());
      const { id } = await person.post("Somebody likes this.");
      await person.like(id);
      await eventually(async () => assert.ok(numberIn(await row.innerText()) > likes));
      const line = await figure(page, "warehouse").locator(".line").getAttribute("d");
      assert.ok(line.split("L").length >= 3, `the line is ${line}`);
      for (const name of ["index", "warehouse"]) {
        const lag = figure(page, `${name}-lag`);
        assert.equal((await lag.locator("h2").innerText()).toLowerCase(), `${name} lag`);
        assert.match(await valueOf(page, `${name}-lag`), /^[\d<]/);
        const spoken = await lag.locator("svg").getAttribute("aria-label");
        assert.match(spoken, new RegExp(`^${name} lag over two minutes, now [\\d<]`, "i"));
        assert.match(await lag.locator(".figure-meaning").innerText(), new RegExp(`How far the ${name} is behind`));
      }
    },
    { server: "warehouse" },
  );

  test("a lag is that of what it is called by", async ({ page, viewer }) => {
    const now = { index: 0.25, warehouse: 7 };
    await page.route("**/api/v1/pipeline", async (route) => {
      const answer = await (await route.fetch()).json();
      const warehouse = { state: "following", reason: "", applied: answer.log, lag_seconds: now.warehouse, tables: [] };
      return route.fulfill({ json: { ...answer, index: { ...answer.index, lag_seconds: now.index }, warehouse } });
    });
    await openFeed(page, viewer);
    const facts = page.locator(".pipeline-box .facts");
    await eventually(async () => assert.match(await facts.innerText(), /Index lag\s+250 ms\s+Warehouse lag\s+7 s/));
    await follow(page, "Views", "Pipeline");
    assert.equal(await valueOf(page, "index-lag"), "250 ms");
    assert.equal(await valueOf(page, "warehouse-lag"), "7 s");
  });

  test("the time from a like to the feed is measured, by the server and by the page", async ({
    page,
    viewer,
    person,
  }) => {
    await openFeed(page, viewer);
    const { likes } = await person.get("/api/v1/pipeline");
    await follow(page, "Views", "Pipeline");
    assert.equal(await valueOf(page, "likes-page"), "–");
    await figure(page, "likes-page").getByText("Like a post to see it.").waitFor();
    await follow(page, "Views", "Feed");
    await isRead(page);
    await pressAndReread(page, likeOf(page.locator(".post").nth(2)));
    await follow(page, "Views", "Pipeline");
    await figure(page, "likes-page").locator(".column").waitFor();
    assert.equal(await figure(page, "likes-page").locator(".column").count(), 1);
    assert.match(await valueOf(page, "likes-page"), /^\d[\d.]* m?s$/);
    assert.match(await figure(page, "likes-page").innerText(), /from your press of the heart/i);
    const server = figure(page, "likes-server");
    await eventually(async () => {
      const told = await server.locator(".figure-meaning").innerText();
      assert.match(told, /From the commit of a like until feeds count it/);
      assert.ok(numberIn(/([\d,]+) likes? since the server started/.exec(told)[1]) > likes.count, told);
    });
    assert.match(await valueOf(page, "likes-server"), /^(<|\d)/);
  });

  test("cache hits are those of the server", async ({ page, viewer, person }) => {
    await openView(page, viewer, "trending/1h");
    await page.locator(".post").first().waitFor();
    await person.get("/api/v1/trending?window=1h");
    await follow(page, "Views", "Pipeline");
    await eventually(async () => {
      const { cache } = await person.get("/api/v1/pipeline");
      const [hot] = cache.filter(({ kind }) => kind === "hot");
      assert.ok(hot.hits > 0);
      const told = await figure(page, "cache").locator(".figure-meaning").innerText();
      assert.match(told, new RegExp(`hot ${hot.hits} of ${hot.hits + hot.misses}`));
      const share =
        cache.reduce((sum, { hits }) => sum + hits, 0) /
        cache.reduce((sum, { hits, misses }) => sum + hits + misses, 0);
      assert.ok(Math.abs(parseFloat(await valueOf(page, "cache")) - 100 * share) <= 1);
    });
  });

  test("a server without a warehouse says that it has none", async ({ page, viewer, person }) => {
    assert.equal((await person.get("/api/v1/pipeline")).warehouse, null);
    await openView(page, viewer, "pipeline");
    await figure(page, "warehouse").getByText("This server runs without a warehouse").waitFor();
    assert.equal(await valueOf(page, "warehouse"), "off");
    assert.equal(await valueOf(page, "warehouse-lag"), "off");
    assert.match(await valueOf(page, "index-lag"), /^[\d<]/);
    assert.equal(await figure(page, "jobs").isVisible(), true);
  });

  test(
    "a server that stops answering is told, and the charts go on when it is back",
    async ({ page, viewer }) => {
      await openView(page, viewer, "pipeline");
      await figure(page, "log").waitFor();
      await page.route("**/api/v1/pipeline", (route) => route.abort());
      await page.getByRole("main").getByText("No news at the moment:").waitFor();
      assert.equal(await figure(page, "log").isVisible(), true);
      await page.unroute("**/api/v1/pipeline");
      await page.getByText("No news at the moment:").waitFor({ state: "detached" });
    },
    { allow: /net::ERR_FAILED/ },
  );

  test(
    "who may not see the pipeline is told so, and the server is not asked again",
    async ({ page, viewer }) => {
      let asked = 0;
      const detail = "The state of the pipeline needs a token of scope service or admin.";
      await page.route("**/api/v1/pipeline", (route) => {
        ++asked;
        return route.fulfill({ status: 403, json: { status: 403, code: "scope_required", detail } });
      });
      await page.clock.install();
      await openFeed(page, viewer);
      assert.equal(await page.locator(".pipeline-box").count(), 0);
      await page.getByRole("navigation", { name: "Views" }).getByRole("link", { name: "Pipeline" }).click();
      await page.getByRole("main").getByText(detail).waitFor();
      await page.clock.runFor(5000);
      // A request that the page had sent by now would have come to the route before this one is answered.
      await page.evaluate(() => fetch("/favicon.svg"));
      assert.equal(asked, 1);
    },
    { allow: /status of 403/ },
  );
}
