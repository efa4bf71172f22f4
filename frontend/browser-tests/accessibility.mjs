// What axe-core finds in a page, as far as it keeps somebody out.
import { createRequire } from "node:module";

const AXE = createRequire(import.meta.url).resolve("axe-core/axe.min.js");

/**
 * The serious faults of what is on the screen, each with the first place where it stands.
 * @param {import("playwright-core").Page} page
 * @returns {Promise<string[]>}
 */
export async function seriousFaults(page) {
  // The page's policy allows no script of others: it is run by the browser's debugger, as the tests themselves are.
  const { readFile } = await import("node:fs/promises");
  await page.evaluate(await readFile(AXE, "utf8"));
  return page.evaluate(async () => {
    // @ts-expect-error: the script above defines it.
    const { violations } = await window.axe.run(document, { resultTypes: ["violations"] });
    const serious = violations.filter((/** @type {{ impact: string }} */ { impact }) =>
      ["serious", "critical"].includes(impact),
    );
    return serious.map(
      (/** @type {{ id: string, nodes: { html: string, failureSummary: string }[] }} */ { id, nodes }) =>
        `${id}: ${nodes[0]?.html} (${nodes.length}) ${nodes[0]?.failureSummary}`,
    );
  });
}
