// README's pictures. Arguments: the notebook's link and the cell that makes `sc`.
import { browse } from "./chromium.mjs";
import * as lab from "./lab.mjs";
import * as sparkUi from "./spark_ui.mjs";

const [link, context] = process.argv.slice(2);

await browse(async (page) => {
  await lab.open(page, link);
  await lab.newNotebook(page);
  await page.keyboard.press("Control+b"); // no side bar: the cell's lines are long
  const first = await lab.run(page, context);
  await lab.run(page, "sc.parallelize(range(100000000)).sum()");
  const shown = await lab.run(page, "sc");
  await lab.fold(page, first); // Java's and Hadoop's words at every start
  await shown.locator(".jp-InputPrompt").click();
  await page.screenshot({ path: "notebook.png" });

  const [ui] = await Promise.all([page.waitForEvent("popup"), shown.getByRole("link", { name: "Spark UI" }).click()]);
  await ui.setViewportSize({ width: 1440, height: 800 }); // its table is wide
  await sparkUi.executors(ui);
  await ui.screenshot({ path: "executors.png" });
  await lab.run(page, "sc.stop()");
});
