/**
 * Writes the tables of options in docs/configuration.md from the comments of their types in lib/options.
 *
 *   node scripts/options.mjs [--check | --json]
 *
 * With `--check` it writes nothing, and fails if a table differs from the types. With `--json` it prints the options.
 *
 * A table has its place between two comments of the guide. The first says which options belong there: `http` with everything below it,
 * unless a longer name claims that, or `exporter otlp` for one form of a group.
 *
 *   <!-- options: http, http.client -->
 *   <!-- /options -->
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { readOptionTypes } from './documents/option-types.mjs';
import { root } from './support/run.mjs';

const GUIDE = 'docs/configuration.md';
const PLACE = /<!-- options: ([^>]*?) -->\n[^]*?<!-- \/options -->/g;
const TYPES_PLACE = /<!-- types -->\n[^]*?<!-- \/types -->/;

const { options, types } = readOptionTypes();
if (process.argv.includes('--json')) {
  console.log(JSON.stringify(options));
  process.exit();
}

const guide = readFileSync(join(root, GUIDE), 'utf8');
const claims = [...guide.matchAll(PLACE)].flatMap(([, list]) => claimsIn(list));
const unclaimed = options.filter((option) => !claimOf(option));
for (const { path, form = '' } of unclaimed) {
  console.error(`${path} ${form} has no place in ${GUIDE}: add its name to an <!-- options: … --> comment`);
}
const written = guide
  .replaceAll(PLACE, (_, list) => generated(`options: ${list}`, 'options', optionTable(claimsIn(list))))
  .replace(TYPES_PLACE, () => generated('types', 'types', typeTable()));
const isOutdated = written !== guide;
if (process.argv.includes('--check')) {
  if (isOutdated) console.error(`${GUIDE} differs from the types of the options: run npm run options`);
} else if (isOutdated) {
  writeFileSync(join(root, GUIDE), written);
}
console.log(`${options.length} options, ${isOutdated ? 'tables have changed' : 'tables are up to date'}`);
process.exit(unclaimed.length > 0 || (isOutdated && process.argv.includes('--check')) ? 1 : 0);

function claimsIn(list) {
  return list.split(', ').map((claim) => {
    const [path, ...form] = claim.split(' ');
    return { path, form: form.join(' ') || undefined };
  });
}

/** Returns the place of an option: the longest name that it begins with, of its form if there is one. */
function claimOf(option) {
  const fitting = claims.filter(
    ({ path, form }) =>
      (option.path === path || option.path.startsWith(`${path}.`)) && (form === undefined || form === option.form),
  );
  const rank = ({ path, form }) => path.length + (form === undefined ? 0 : 0.5);
  return fitting.toSorted((a, b) => rank(b) - rank(a))[0];
}

function generated(opening, closing, table) {
  const marks = ['<!-- prettier-ignore-start -->', '<!-- prettier-ignore-end -->'];
  return [`<!-- ${opening} -->`, '', marks[0], '', ...table, '', marks[1], '', `<!-- /${closing} -->`].join('\n');
}

function optionTable(places) {
  const isHere = (option) => {
    const claim = claimOf(option);
    return claim && places.some(({ path, form }) => path === claim.path && form === claim.form);
  };
  const rows = mergeForms(options.filter((option) => isHere(option) && !option.isRepeated && !isFormName(option)));
  return [
    '| Option | Type | Default | Meaning |',
    '| --- | --- | --- | --- |',
    ...sortByGroup(rows).map((row) => tableRow(cellsOf(row, places))),
  ];
}

function cellsOf(row, places) {
  const defaultText = row.default === '' && row.isRequired ? 'required' : row.default;
  return [code(nameOf(row, places)), code(row.type), defaultText, row.comment];
}

/** The `type` of a form stands in the heading of its table. */
function isFormName({ path, form }) {
  return /^(exporter|sampler)\.type$/.test(path) && form !== undefined;
}

/** Within a form, an option has its name without that of the group. */
function nameOf({ path }, places) {
  const place = places.find(({ path: group, form }) => form !== undefined && path.startsWith(`${group}.`));
  return place ? path.slice(place.path.length + 1) : path;
}

/** Some options are declared in several forms of a group, such as `metrics.path`. They are one row. */
function mergeForms(list) {
  const rows = new Map();
  for (const option of list) {
    const known = rows.get(option.path);
    rows.set(option.path, {
      path: option.path,
      type: union(known?.type, option.type, ' | '),
      default: union(known?.default, defaultOf(option), ' '),
      isRequired: option.isRequired,
      comment: union(known?.comment, option.comment, ' '),
    });
  }
  return [...rows.values()];
}

function defaultOf(option) {
  if (option.default === '[]') return 'none';
  return /^(true|false|'[^']*')$/.test(option.default) ? code(option.default) : option.default;
}

/** Puts the options of a group behind the group, in the order in which the groups are declared. */
function sortByGroup(rows) {
  const groups = [...new Set(rows.map(({ path }) => path.split('.')[0]))];
  return rows.toSorted((a, b) => groups.indexOf(a.path.split('.')[0]) - groups.indexOf(b.path.split('.')[0]));
}

function union(known = '', added, separator) {
  if (known === '' || added === '' || known.split(separator).includes(added) || known === added) return known || added;
  return known + separator + added;
}

function typeTable() {
  return [
    '| Type | Values | Meaning |',
    '| --- | --- | --- |',
    ...types.map(({ name, definition, comment }) => tableRow([code(name), code(definition), comment])),
  ];
}

function tableRow(cells) {
  return `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
}

function code(text) {
  return text === '' ? '' : `\`${text}\``;
}
