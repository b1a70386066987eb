/**
 * The documentation of the options and variables agrees with the code. If a test fails after you have added an option: give it a
 * comment in its type, and a row in the table of README.md. An option of one exporter or sampler has its row in
 * docs/configuration.md instead. A variable stands in the `@default` tag of its option, and in the same row.
 */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { resolveOptions } from '../../../lib/options/resolve-options.js';
import type { TracingOptions } from '../../../lib/tracing.options.js';
import { codesIn, readDocument, readOptionTables, type OptionRow } from './read-option-tables.js';
import { readOptionTypes, type TypedOption } from './read-option-types.js';

/** Options with a form for each exporter or sampler. docs/configuration.md has a table for each form, under its name. */
const WITH_FORMS = ['exporter', 'sampler'];

const typed = readOptionTypes();
const guide = readDocument('docs/configuration.md');
const guideTables = readOptionTables(guide);
const readmeRows = readOptionTables(readDocument('README.md')).flatMap(({ rows }) => rows);

const ofForms = typed.filter(({ path }) => WITH_FORMS.some((group) => path.startsWith(`${group}.`)));
const ofReadme = typed.filter((option) => !ofForms.includes(option));
const forms = [...new Set(ofForms.filter(({ path }) => !isType(path)).map(({ form }) => form!))];

describe('the types of the options', () => {
  it('are read', () => {
    expect(pathsOf(typed)).toEqual(expect.arrayContaining(['enabled', 'serviceName', 'http.client.ignore']));
    expect(forms).toEqual(expect.arrayContaining(['otlp', 'jaeger', '{ ratio }', 'jaeger_remote']));
  });

  it('have a comment for each option', () => {
    expect(pathsOf(typed.filter(({ path, comment }) => comment === '' && !isType(path)))).toEqual([]);
  });

  it('have no option that the start refuses', () => {
    const errors = typed.map(({ path, form }) => errorOf(path, form));
    expect(errors.filter((error) => error.includes('There is no such option'))).toEqual([]);
  });
});

describe('the table of options in README.md', () => {
  it('has every option', () => {
    const required = ofReadme.filter(({ path, isGroup }) => !isGroup || WITH_FORMS.includes(path));
    expect(without(pathsOf(required), namesIn(readmeRows))).toEqual([]);
  });

  it('has no option that does not exist', () => {
    expect(without(namesIn(readmeRows), pathsOf(ofReadme))).toEqual([]);
  });

  it('has the variables of each option', () => {
    expectVariables(readmeRows, ofReadme, ({ path }) => path);
  });
});

describe.each(forms)('the table of options of %s in docs/configuration.md', (form) => {
  const rows = guideTables.filter(({ heading }) => heading.includes(form)).flatMap((table) => table.rows);
  const options = ofForms.filter((option) => option.form === form && !isType(option.path));

  it('has every option, and no option that does not exist', () => {
    expect(sorted(namesIn(rows))).toEqual(sorted(options.map(nameInForm)));
  });

  it('has the variables of each option', () => {
    expectVariables(rows, options, nameInForm);
  });
});

describe('docs/configuration.md', () => {
  it('has options only in tables of a form', () => {
    const others = guideTables.filter(({ heading }) => !forms.some((form) => heading.includes(form)));
    expect(others.flatMap(({ rows }) => namesIn(rows))).toEqual([]);
  });

  it('mentions no option that does not exist', () => {
    const groups = typed.filter(({ path, isGroup }) => isGroup && !path.includes('.')).map(({ path }) => path);
    const mentioned = codesIn(guide.replaceAll(/```.*?```/gs, '')).filter((code) =>
      groups.some((group) => new RegExp(`^${group}(\\.\\w+)+$`).test(code)),
    );
    expect(mentioned).toContain('limits.attributeValueLength');
    expect(without(mentioned, pathsOf(typed))).toEqual([]);
  });
});

describe('the variables', () => {
  const read = readVariables();

  it('in the tables are the variables that the options read', () => {
    const rows = [...readmeRows, ...guideTables.flatMap((table) => table.rows)];
    expect(sorted(rows.flatMap(({ variables }) => variables))).toEqual(read);
  });

  it('have their full name in the code, where a search finds it', () => {
    const code = filesIn('lib/options').map((file) => readDocument(file));
    expect(code.filter((text) => /OTEL_\w*\$\{(?!string\})/.test(text))).toEqual([]);
    expect(sorted(code.flatMap((text) => [...text.matchAll(/'(OTEL_\w+)'/g)].map(([, name]) => name!)))).toEqual(read);
  });

  it('are read by the options alone', () => {
    const others = filesIn('lib').filter((file) => !file.startsWith('lib/options/'));
    expect(others.filter((file) => /process\.env\.OTEL_|readVariables?\(/.test(readDocument(file)))).toEqual([]);
  });
});

/** Returns every variable that the options read, whatever the exporter and the sampler are. */
function readVariables(): readonly string[] {
  const names: string[] = [];
  const env = new Proxy<NodeJS.ProcessEnv>({}, { get: (_, name) => void names.push(String(name)) });
  const resolve = (options: TracingOptions) => resolveOptions(options, env, () => undefined);
  resolve({});
  resolve({ sampler: 'traceidratio' });
  resolve({ exporter: [{ type: 'jaeger' }, { type: 'jaeger', endpoint: 'http://jaeger:14268' }] });
  resolve({ exporter: { type: 'otlp', protocol: 'grpc' } });
  resolve({ logs: { export: true } });
  resolve({ logs: { export: { protocol: 'grpc' } } });
  // The variables of a proxy are a convention of the operating system: docs/configuration.md describes them in a paragraph.
  return sorted(names.filter((name) => !/_proxy$/i.test(name)));
}

/** Returns the error of the start with an option that is known and has no value. */
function errorOf(path: string, form: string | undefined): string {
  const [name = '', ...groups] = path.split('.').toReversed();
  const type = form === undefined || form.startsWith('{') || name === 'type' ? {} : { type: form };
  const options = groups.reduce<object>((inner, group) => ({ [group]: inner }), { ...type, [name]: undefined });
  try {
    resolveOptions(options, {}, () => undefined);
    return '';
  } catch (error) {
    return String(error);
  }
}

function filesIn(folder: string): readonly string[] {
  return readdirSync(join(import.meta.dirname, '../../..', folder), { recursive: true, encoding: 'utf8' })
    .map((file) => `${folder}/${file}`.replaceAll('\\', '/'))
    .filter((file) => file.endsWith('.ts'));
}

/** Expects each row with options to name the variables in the `@default` tags of these options. */
function expectVariables(
  rows: readonly OptionRow[],
  options: readonly TypedOption[],
  nameOf: (option: TypedOption) => string,
): void {
  const withOptions = rows.filter((row) => row.options.length > 0);
  const expected = withOptions.map((row) => {
    const ofRow = options.filter((option) => row.options.includes(nameOf(option)));
    return { options: row.options, variables: sorted(ofRow.flatMap(({ variables }) => variables)) };
  });
  const documented = withOptions.map((row) => ({ options: row.options, variables: sorted(row.variables) }));
  expect(documented).toEqual(expected);
}

/** True for the option that says which form a group has. A heading names it instead of a row. */
function isType(path: string): boolean {
  return path.endsWith('.type');
}

/** Returns the name of an option in the table of its form, such as `endpoint` for `exporter.endpoint`. */
function nameInForm({ path }: TypedOption): string {
  return path.slice(path.indexOf('.') + 1);
}

function pathsOf(options: readonly TypedOption[]): readonly string[] {
  return options.map(({ path }) => path);
}

function namesIn(rows: readonly OptionRow[]): readonly string[] {
  return rows.flatMap(({ options }) => options);
}

function without(names: readonly string[], others: readonly string[]): readonly string[] {
  return names.filter((name) => !others.includes(name));
}

/** Returns the names in alphabetical order, each once. */
function sorted(names: readonly string[]): readonly string[] {
  return [...new Set(names)].toSorted();
}
