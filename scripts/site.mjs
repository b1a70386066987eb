/** Builds the site of API reference and guides with TypeDoc, in site/, and fails if a link in it leads nowhere. */
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import process from 'node:process';
import { root, runBin } from './support/run.mjs';

const site = join(root, 'site');
const idsByPage = new Map();

runBin('typedoc', 'typedoc', []);
const pages = readdirSync(site, { encoding: 'utf8', recursive: true })
  .filter((file) => file.endsWith('.html'))
  .map((file) => join(site, file));
const broken = pages.flatMap((page) =>
  linksIn(page)
    .filter((link) => !leadsSomewhere(page, link))
    .map((link) => ({ page, link })),
);
for (const { page, link } of broken) console.error(`${relative(root, page)} links to ${link}, which does not exist`);
console.log(`${pages.length} pages, ${broken.length} broken links`);
process.exit(broken.length > 0 ? 1 : 0);

/** Returns the links of a page to files of the site. */
function linksIn(page) {
  const links = [...readFileSync(page, 'utf8').matchAll(/<a [^>]*href="([^"]+)"/g)].map(([, link]) => link);
  return [...new Set(links)].filter((link) => link !== '#' && !/^[a-z]+:/.test(link));
}

function leadsSomewhere(page, link) {
  const [path, anchor] = decodeURIComponent(link.replaceAll('&amp;', '&')).split('#');
  const target = path === '' ? page : join(dirname(page), path);
  if (!existsSync(target)) return false;
  return anchor === undefined || !target.endsWith('.html') || idsOf(target).has(anchor);
}

function idsOf(page) {
  if (!idsByPage.has(page)) {
    const ids = [...readFileSync(page, 'utf8').matchAll(/ id="([^"]+)"/g)].map(([, id]) => id);
    idsByPage.set(page, new Set(ids));
  }
  return idsByPage.get(page);
}
