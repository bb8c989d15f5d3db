// screenshots/index.html: all pictures on one page, a row a scene.

import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import cleanUp from "../clean-up";
import { scenes, viewer } from "../scenes";
import { file, folder, variants } from "./folder";

const escaped = (text: string): string => text.replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/"/g, "&quot;");

function picture(scene: string, variant: string): string {
  const name = file(scene, variant);
  return existsSync(join(folder, name))
    ? `<td><a href="${name}"><img src="${name}" alt="${scene}, ${variant}" loading="lazy"></a></td>`
    : `<td>not taken</td>`;
}

export default function writeContactSheet(): void {
  const rows = scenes.map((scene) => {
    const words = `<th scope="row">${escaped(scene.shows)}<small>${scene.name}<br>${escaped(scene.page)}, as ${viewer(scene)}</small></th>`;
    return `<tr id="${scene.name}">${words}${variants.map((variant) => picture(scene.name, variant)).join("")}</tr>`;
  });
  const html = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>GourmetGram, every page and state</title>
<style>
  body { margin: 2rem; background: #8a8f9c; font: 1rem/1.4 system-ui, sans-serif; }
  table { border-spacing: 1rem; }
  thead th { position: sticky; top: 0; background: inherit; }
  th { text-align: left; vertical-align: top; }
  tbody th { min-width: 12rem; max-width: 16rem; }
  td { vertical-align: top; }
  img { max-width: 26rem; max-height: 40rem; box-shadow: 0 2px 12px #0006; }
  small { display: block; margin-top: 0.5rem; font-weight: normal; }
</style>
<h1>Every page and state</h1>
<table>
<thead><tr><td></td>${variants.map((variant) => `<th scope="col">${variant}</th>`).join("")}</tr></thead>
<tbody>
${rows.join("\n")}
</tbody>
</table>
`;
  writeFileSync(join(folder, "index.html"), html);
  cleanUp();
}
