import { existsSync, readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { root } from '../support/run.mjs';
import { withoutCodeBlocks } from './code-blocks.mjs';

/** Returns the links of a document that lead to no file, or to no heading of a document, and the paths in code marks that do not exist. */
export function linkProblems({ path, text }) {
  return withoutCodeBlocks(text)
    .split('\n')
    .flatMap((line, index) =>
      [...brokenLinksIn(line, path), ...missingPathsIn(line)].map((problem) => `${path}:${index + 1} ${problem}`),
    );
}

function brokenLinksIn(line, path) {
  const targets = [...line.replaceAll(/`[^`]*`/g, 'code').matchAll(/\]\(([^)\s]+)\)/g)].map(([, target]) => target);
  return targets.flatMap((target) => {
    if (/^(https?|mailto):/.test(target)) return [];
    const [file, anchor] = target.split('#');
    const found = file === '' ? join(root, path) : join(root, dirname(path), file);
    if (!existsSync(found)) return [`links to ${file}, which does not exist`];
    if (anchor === undefined || statSync(found).isDirectory() || !found.endsWith('.md')) return [];
    return anchorsOf(found).has(anchor) ? [] : [`links to ${target}, which is no heading there`];
  });
}

/** A path of this repository in code marks, such as `test/e2e/shop.spec.ts`. Paths with a place for a name are patterns. */
function missingPathsIn(line) {
  const paths = [...line.matchAll(/`((?:lib|test|docs|scripts|sample|bench)\/[\w./-]+\.\w+)`/g)].map(
    ([, path]) => path,
  );
  return paths.filter((path) => !existsSync(join(root, path))).map((path) => `names ${path}, which does not exist`);
}

const anchorsByFile = new Map();

function anchorsOf(file) {
  const known = anchorsByFile.get(file);
  if (known) return known;
  const anchors = new Set();
  for (const line of withoutCodeBlocks(readFileSync(file, 'utf8')).split('\n')) {
    const [, heading] = /^#{1,6}\s+(.*?)\s*#*$/.exec(line) ?? [];
    if (heading !== undefined) addAnchor(anchors, heading);
    for (const [, id] of line.matchAll(/<a (?:id|name)="([^"]+)"/g)) anchors.add(id);
  }
  anchorsByFile.set(file, anchors);
  return anchors;
}

/** Adds the anchor that GitHub gives to a heading. Headings with the same text are numbered. */
function addAnchor(anchors, heading) {
  const plain = heading.replaceAll(/\[([^\]]*)\]\([^)]*\)/g, '$1').replaceAll(/[`*]/g, '');
  const anchor = plain
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}\p{M} _-]/gu, '')
    .replaceAll(' ', '-');
  let unique = anchor;
  for (let number = 1; anchors.has(unique); number++) unique = `${anchor}-${number}`;
  anchors.add(unique);
}
