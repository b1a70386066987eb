/**
 * Runs the shop once, and writes the picture of one of its traces, docs/images/trace.svg, as the terminal shows it.
 *
 *   npm run picture
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import process from 'node:process';
import { stripVTControlCharacters } from 'node:util';
import { root } from './support/run.mjs';

/** The order whose trace is shown. */
const TITLE = '> A good order';

const FONT_SIZE = 13;
const CHARACTER_WIDTH = 7.8;
const LINE_HEIGHT = 18;
const MARGIN = 16;
const BACKGROUND = '#0d1117';
const PLAIN = '#e6edf3';
/** The colours of the codes of ANSI that the shop uses. */
const COLORS = {
  1: PLAIN,
  2: '#7d8590',
  31: '#ff7b72',
  32: '#7ee787',
  33: '#e3b341',
  34: '#79c0ff',
  35: '#d2a8ff',
  36: '#76e3ea',
};

const shop = spawnSync(process.execPath, ['scripts/sample.mjs', '02-shop', '--once'], {
  cwd: root,
  encoding: 'utf8',
  env: { ...process.env, FORCE_COLOR: '1' },
});
if (shop.status !== 0) throw new Error(`The shop has failed.\n${shop.stdout}${shop.stderr}`);

const file = join(root, 'docs/images/trace.svg');
mkdirSync(dirname(file), { recursive: true });
writeFileSync(file, picture(traceLines(shop.stdout)));
console.log(`Written to ${file}`);

/** Returns the lines of the trace below the title of its order. */
function traceLines(output) {
  const lines = output.split('\n');
  const title = lines.findIndex((line) => stripVTControlCharacters(line).startsWith(TITLE));
  const first = lines.findIndex((line, index) => index > title && stripVTControlCharacters(line).startsWith('trace '));
  const end = lines.indexOf('', first);
  if (title === -1 || first === -1 || end === -1) throw new Error(`The shop has printed no trace below "${TITLE}".`);
  return lines.slice(first, end);
}

function picture(lines) {
  const columns = Math.max(...lines.map((line) => stripVTControlCharacters(line).length));
  const width = Math.ceil(columns * CHARACTER_WIDTH + 2 * MARGIN);
  const height = lines.length * LINE_HEIGHT + 2 * MARGIN;
  const rows = lines.map((line, index) => row(line, MARGIN + (index + 0.75) * LINE_HEIGHT));
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img">`,
    '<title>The trace of one order over four services, with its queries and messages</title>',
    `<rect width="100%" height="100%" rx="8" fill="${BACKGROUND}"/>`,
    `<g font-family="ui-monospace, SFMono-Regular, Menlo, Consolas, monospace" font-size="${FONT_SIZE}" fill="${PLAIN}">`,
    ...rows,
    '</g>',
    '</svg>\n',
  ].join('\n');
}

/** Returns the parts of a line, each at its column: the widths of the fonts of browsers differ. */
function row(line, y) {
  let column = 0;
  const parts = partsOf(line).map(({ code, text }) => {
    const start = column + text.search(/\S|$/);
    column += text.length;
    const shown = text.trim();
    if (shown === '') return '';
    const x = MARGIN + start * CHARACTER_WIDTH;
    const length = shown.length * CHARACTER_WIDTH;
    const at = `x="${x.toFixed(1)}" y="${y.toFixed(1)}" textLength="${length.toFixed(1)}" lengthAdjust="spacingAndGlyphs"`;
    const color = COLORS[code] ? ` fill="${COLORS[code]}"` : '';
    return `<text ${at}${color} xml:space="preserve">${escape(shown)}</text>`;
  });
  return parts.filter(Boolean).join('');
}

/** Returns the texts of a line with their ANSI codes. */
function partsOf(line) {
  // oxlint-disable-next-line eslint/no-control-regex -- these are the codes that are looked for
  return [...line.matchAll(/\u001b\[(\d+)m(.*?)\u001b\[0m|([^\u001b]+)/g)].map(([, code, painted, plain]) => ({
    code: code && Number(code),
    text: painted ?? plain,
  }));
}

function escape(text) {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
