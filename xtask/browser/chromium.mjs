// A Chromium that notes what its pages complain about.
import { chromium } from "playwright-core";

const FLAGS = [
  "--no-sandbox", // its user is root in a sandbox already
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

/**
 * Opens a page for `work` and closes the browser after it. Errors on the console, exceptions of scripts, and answers
 * of 400 and above are complaints, and fail it: none is known that is harmless.
 */
export async function browse(work) {
  const browser = await chromium.launch({ executablePath: "/usr/lib/chromium/chromium", args: FLAGS });
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 } });
  const complaints = [];
  context.on("console", (message) => {
    if (message.type() === "error") complaints.push(`console: ${message.text()} (${message.location().url})`);
  });
  context.on("weberror", (error) => complaints.push(`script: ${error.error().stack}`));
  context.on("response", (answer) => {
    if (answer.status() >= 400) complaints.push(`answer ${answer.status()}: ${answer.request().method()} ${answer.url()}`);
  });
  try {
    await work(await context.newPage());
    if (complaints.length > 0) throw new Error(`pages complained:\n${complaints.join("\n")}`);
  } catch (error) {
    for (const [number, page] of context.pages().entries()) {
      await page.screenshot({ path: `failed-${number + 1}.png` });
      console.log(`failed-${number + 1}.png shows ${page.url()}`);
    }
    console.log(complaints.join("\n"));
    throw error;
  } finally {
    await browser.close();
  }
}

/** Says that a step is done. */
export function good(step) {
  console.log(`ok   ${step}`);
}
