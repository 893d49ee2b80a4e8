// The Spark UI, wherever it is shown from: its tabs are opened by their own links.
import assert from "node:assert/strict";

/** Looks at every tab of the UI that `page` shows, after a job on two executors. */
export async function look(page) {
  await tab(page, "Jobs");
  await page.locator("#completedJob-table tbody tr").first().waitFor();
  await tab(page, "Stages");
  await page.locator("#completedStage-table tbody tr").first().waitFor();
  await tab(page, "Storage");
  await tab(page, "Environment");
  await page.getByRole("tab", { name: "Spark Properties" }).click();
  await page.getByRole("cell", { name: "spark.executor.instances", exact: true }).waitFor();
  assert.deepEqual(await executors(page), ["1", "2", "driver"]);
}

/** Ids of the executors that the Executors tab lists as active. */
export async function executors(page) {
  await tab(page, "Executors");
  const rows = page.locator("#active-executors-table tbody tr", { hasText: "Active" });
  await rows.nth(2).waitFor();
  await page.locator("#loading-overlay").waitFor({ state: "hidden" });
  return (await rows.locator("td:first-child").allInnerTexts()).sort();
}

async function tab(page, name) {
  await page.locator(".navbar").getByRole("link", { name, exact: true }).click();
  await page.locator(".navbar .active", { hasText: name }).waitFor();
  assert.match(await page.title(), new RegExp(name));
}
