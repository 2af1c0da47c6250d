// A browser, and pages that tell what they had to complain about.
import { chromium } from "playwright-core";

export function launchBrowser() {
  const asRoot = process.getuid?.() === 0;  // Chromium's sandbox refuses root
  return chromium.launch({
    executablePath: process.env.NOVAFEED_CHROMIUM ?? "/usr/bin/chromium",
    args: asRoot ? ["--no-sandbox"] : [],
  });
}

/**
 * A page in a context of its own. `page.complaints` collects console errors, uncaught errors and CSP violations;
 * `page.glides()` is how many cards were moved by an animation.
 */
export async function openPage(browser, url, options = {}) {
  const context = await browser.newContext({ baseURL: url, viewport: { width: 1200, height: 900 }, ...options });
  const page = await context.newPage();
  page.setDefaultTimeout(15_000);
  page.complaints = [];
  page.on("console", (message) => message.type() === "error" && page.complaints.push(message.text()));
  page.on("pageerror", (error) => page.complaints.push(String(error)));
  await page.addInitScript(() => {
    document.addEventListener("securitypolicyviolation", (event) =>
      console.error(`CSP: ${event.violatedDirective} refused ${event.blockedURI}`),
    );
    window.glides = 0;
    const { animate } = Element.prototype;
    Element.prototype.animate = function (...args) {
      if (args[0][0].transform) ++window.glides;
      return animate.apply(this, args);
    };
  });
  page.glides = () => page.evaluate(() => window.glides);
  return page;
}
