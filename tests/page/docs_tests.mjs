// The tests of /docs, the page that shows the API's document.
import assert from "node:assert/strict";
import { assertReadable, noSidewaysScroll } from "./acts.mjs";

const methods = ["get", "post", "put", "patch", "delete"];

async function documentOf(url) {
  return (await fetch(`${url}/openapi.json`)).json();
}

async function showDocs(page, fragment = "") {
  await page.goto(`/docs${fragment}`);
  await page.locator(".operation").first().waitFor();
}

async function openAll(page) {
  await page.locator(".operation").evaluateAll((cards) => cards.forEach((card) => (card.open = true)));
}

export function addDocsTests(test) {
  test("/docs lists every route of the document", async ({ page, url }) => {
    const { paths } = await documentOf(url);
    const routes = Object.entries(paths).flatMap(([path, item]) =>
      methods.filter((method) => item[method]).map((method) => `${method.toUpperCase()} ${path}`),
    );
    await showDocs(page);
    const shown = await page.locator(".operation").evaluateAll((cards) =>
      cards.map((card) => `${card.querySelector(".method").textContent} ${card.querySelector("summary code").textContent}`),
    );
    assert.deepEqual(shown.sort(), routes.sort());
  });

  test("/docs shows how a request is sent and what it may be answered", async ({ page, url }) => {
    await showDocs(page);
    const card = page.locator("#createPost");
    assert.equal(await card.evaluate((element) => element.open), false);
    await card.locator("summary").click();
    const text = await card.innerText();
    const curl = await card.locator("pre").first().innerText();
    assert.match(curl, new RegExp(`^curl -X POST '${url}/api/v1/posts'`));
    assert.match(curl, /-H "Authorization: Bearer \$TOKEN"[\s\S]*-d '\{.*"text":"Hello\."/);
    for (const said of ["Novafeed-User", "10000 characters", "201", "409", "id_conflict", "Retry-After", "4XX"]) {
      assert.ok(text.includes(said), `"${said}" is not there`);
    }
    assert.ok(text.indexOf("\n422") < text.indexOf("\n4XX") && text.indexOf("\n4XX") < text.indexOf("\n500"));
    const likes = page.locator("#getLikes");
    await likes.locator("summary").click();
    assert.match(await likes.locator("pre").first().innerText(), /\/api\/v1\/likes\?posts=ext:hello,ext:bye'/);
    await page.getByText("TOKEN=$(novafeed token --data DIR --user ext:ada)").waitFor();
    await card.getByRole("link", { name: "NewText" }).first().click();
    await page.waitForFunction(() => location.hash === "#schema-NewText");
  });

  test("/docs finds a route, and opens the one that the address names", async ({ page }) => {
    await showDocs(page, "#eraseUser");
    assert.equal(await page.locator(".operation[open]").count(), 1);
    assert.ok(await page.locator("#eraseUser[open]").isVisible());
    await page.getByLabel("Find a route").fill("delete comment");
    await page.getByText("1 route", { exact: true }).waitFor();
    assert.equal(await page.locator(".operation").getAttribute("id"), "deleteComment");
  });

  test("/docs loads nothing from elsewhere, under the page's policy", async ({ page, url }) => {
    const asked = [];
    page.on("request", (request) => asked.push(request.url()));
    const answer = await page.goto("/docs");
    await page.locator(".operation").first().waitFor();
    assert.ok(asked.length >= 4 && asked.every((one) => one.startsWith(`${url}/`)), asked.join());
    const policy = answer.headers()["content-security-policy"];
    assert.equal(policy, (await fetch(`${url}/`)).headers.get("content-security-policy"));
    assert.doesNotMatch(policy, /unsafe|https?:|\*/);
  });

  test("/docs is not wider than a phone", async ({ page }) => {
    await showDocs(page);
    await openAll(page);
    await noSidewaysScroll(page, "/docs");
  }, { context: { viewport: { width: 360, height: 740 }, hasTouch: true } });

  for (const colorScheme of ["light", "dark"]) {
    test(`/docs can be read in ${colorScheme} mode`, async ({ page }) => {
      await showDocs(page, "#createPost");
      const readable = [".method-get", ".method-post", ".method-delete", ".what", ".status-2", ".status-4", ".codes code"];
      const others = [".headers", ".sample pre", ".fields em", ".fields a", "nav a", "h2 small"];
      await assertReadable(page, [...readable, ...others].map((selector) => `.docs ${selector}`));
    }, { context: { colorScheme } });
  }
}
