// A way through the page in one browser, step by step.
import { after, test } from "node:test";
import { openBrowser, picture } from "./browser.mjs";

/**
 * Opens the browser of a way; it is closed after its last step. What a way needs beforehand is prepared before this, so
 * that nothing is left open when that fails.
 * @param {string} name
 * @param {import("playwright-core").BrowserContextOptions} [options]
 */
export async function beginWay(name, options) {
  const { page, watched, close } = await openBrowser(options);
  let failed = false;
  after(close);

  /**
   * One step. A step after a failed one is not tried: it would only fail for the same reason.
   * @param {string} what
   * @param {() => Promise<void>} work
   */
  const step = (what, work) =>
    void test(what, async (context) => {
      if (failed) return context.skip("an earlier step failed");
      try {
        await work();
      } catch (error) {
        failed = true;
        // What the page looks like tells more than the error, but the error is what failed.
        await picture(page, `failed-${name}`).catch(() => {});
        throw error;
      }
    });

  return { page, watched, step };
}
