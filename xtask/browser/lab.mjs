// JupyterLab as a user handles it: by mouse and keyboard.
import assert from "node:assert/strict";

/** Starting executors on a busy machine takes its time. */
const PATIENCE = 300_000;

/** Opens the link that `emberyard up` prints. */
export async function open(page, link) {
  await page.goto(link);
  await page.locator(".jp-Launcher").waitFor();
  assert.match(await page.title(), /JupyterLab/);
}

/** Makes a Python 3 notebook through the launcher. */
export async function newNotebook(page) {
  await page.locator('.jp-LauncherCard[data-category="Notebook"]', { hasText: "Python 3" }).click();
  await ready(page);
}

/** Opens a file by double clicks on its folders and itself. */
export async function openFile(page, ...path) {
  for (const name of path) {
    await page.locator(".jp-DirListing-item", { has: page.getByText(name, { exact: true }) }).dblclick();
  }
  await ready(page);
}

/** Types code into the empty cell at the end and runs it; the cell, once it has ended. */
export async function run(page, code) {
  const cells = notebook(page).locator(".jp-CodeCell");
  const cell = cells.nth((await cells.count()) - 1); // by its number: running it adds another at the end
  await cell.locator(".cm-content").click();
  await page.keyboard.type(code.trim());
  await page.keyboard.press("Shift+Enter");
  while (!(await hasBegun(cell))) {
    await cell.locator(".cm-content").click();
    await page.keyboard.press("Shift+Enter");
  }
  await ended(cell);
  return cell;
}

/**
 * Whether a cell has got a star or its number; it is given some time for it. JupyterLab says "idle" before it has a kernel, and
 * runs nothing then: who sees that nothing runs asks again.
 */
async function hasBegun(cells) {
  const prompt = cells.locator(".jp-InputPrompt", { hasText: /\[(\*|\d+)\]/ });
  return prompt.first().waitFor({ timeout: 10_000 }).then(
    () => true,
    () => false,
  );
}

/** Folds what a cell has put out. */
export async function fold(page, cell) {
  await cell.locator(".jp-InputPrompt").click();
  await menu(page, "View", "Collapse Selected Outputs");
}

/** Runs every cell of the open notebook by the menu, until what must be shown has been. */
export async function runAll(page, ...shown) {
  do await menu(page, "Run", "Run All Cells");
  while (!(await hasBegun(notebook(page))));
  // Not cell by cell: those that are out of sight are no elements of the page.
  for (const text of shown) {
    await notebook(page).locator(".jp-OutputArea-output", { hasText: text }).first().waitFor({ timeout: PATIENCE });
  }
}

/** What a cell has put out, as it is shown. */
export async function output(cell) {
  return (await cell.locator(".jp-OutputArea-output").allInnerTexts()).join("\n").trim();
}

/** The notebook in front. */
export function notebook(page) {
  return page.locator(".jp-NotebookPanel:not(.lm-mod-hidden)");
}

async function menu(page, ...items) {
  for (const name of items) await page.getByRole("menuitem", { name, exact: true }).click();
}

async function ready(page) {
  await notebook(page).locator('.jp-Notebook-ExecutionIndicator[data-status="idle"]').waitFor();
}

/** Waits for a cell's number, which it gets at its end; its output must show no error of Python's. */
async function ended(cell) {
  await cell.locator(".jp-InputPrompt", { hasText: /\[\d+\]/ }).waitFor({ timeout: PATIENCE });
  assert.doesNotMatch(await output(cell), /^Traceback|^\w*Error: /m);
}
