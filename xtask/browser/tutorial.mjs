// The tutorial in a browser. Arguments: the notebook's link, where `kubectl proxy` serves, and the cell that makes `sc`.
import assert from "node:assert/strict";
import { setTimeout } from "node:timers/promises";
import { browse, good } from "./chromium.mjs";
import * as lab from "./lab.mjs";
import * as sparkUi from "./spark_ui.mjs";

const [link, proxy, context] = process.argv.slice(2);
const SUM = "4999999950000000";

await browse(async (page) => {
  await lab.open(page, link);
  await lab.newNotebook(page);
  good("JupyterLab makes a Python 3 notebook");

  await lab.run(page, context);
  const sum = await lab.run(page, "sc.parallelize(range(100000000)).sum()");
  assert.equal(await lab.output(sum), SUM);
  good(`typed by hand: ${SUM}`);

  const shown = await lab.run(page, "sc");
  const [own] = await Promise.all([page.waitForEvent("popup"), shown.getByRole("link", { name: "Spark UI" }).click()]);
  await sparkUi.look(own);
  good(`Spark UI by its own link: ${own.url()}`);
  await own.close();

  const proxied = await page.context().newPage();
  await proxied.goto(`${proxy}/api/v1/namespaces/default/services/my-pyspark-notebook-spark-ui:4040/proxy/`);
  await sparkUi.look(proxied);
  good(`Spark UI through kubectl proxy: ${proxied.url()}`);
  await proxied.close();

  await lab.run(page, "sc.stop()");
  assert.deepEqual(await page.locator(".Toastify__toast").allInnerTexts(), [], "JupyterLab asks or warns");
  await nothingLeft();
  good("sc.stop() leaves nothing");

  await lab.openFile(page, "Emberyard", "tutorial.ipynb");
  await lab.runAll(page, SUM, "499500");
  good("the example notebook runs to its end");
});

/** Waits until nothing that Spark made is left in the cluster. */
async function nothingLeft() {
  const start = Date.now();
  for (const kind of ["pods", "configmaps", "services", "persistentvolumeclaims"]) {
    for (;;) {
      const list = await fetch(`${proxy}/api/v1/namespaces/default/${kind}?labelSelector=spark-app-selector`);
      const names = (await list.json()).items.map((item) => item.metadata.name);
      if (names.length === 0) break;
      assert(Date.now() - start < 20_000, `${kind} left: ${names}`);
      await setTimeout(100);
    }
  }
}
