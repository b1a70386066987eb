/**
 * The documentation of the options and variables agrees with the code. If a test fails after you have added an option: give it a comment in
 * its type, and run `npm run options`. A variable stands in the `@default` tag of its option.
 */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { resolveOptions } from '../../../lib/options/resolve-options.js';
import type { TracingOptions } from '../../../lib/tracing.options.js';
import { codesIn, readDocument, readOptionTables, type OptionRow } from './read-option-tables.js';
import { readOptionTypes, type TypedOption } from './read-option-types.js';

const typed = readOptionTypes();
const guide = readDocument('docs/configuration.md');
const guideRows = readOptionTables(guide).flatMap(({ rows }) => rows);
const readmeRows = readOptionTables(readDocument('README.md')).flatMap(({ rows }) => rows);
const forms = [...new Set(typed.map(({ form }) => form))];

describe('the types of the options', () => {
  it('are read', () => {
    expect(pathsOf(typed)).toEqual(expect.arrayContaining(['enabled', 'serviceName', 'http.client.ignore']));
    expect(forms).toEqual(expect.arrayContaining(['otlp', 'jaeger', '{ ratio }', 'jaeger_remote']));
  });

  it('have a comment for each option', () => {
    expect(pathsOf(typed.filter(({ path, comment }) => comment === '' && !path.endsWith('.type')))).toEqual([]);
  });

  it('have no option that the start refuses', () => {
    const errors = typed.map(({ path, form }) => errorOf(path, form));
    expect(errors.filter((error) => error.includes('There is no such option'))).toEqual([]);
  });
});

describe('the table of options in README.md', () => {
  it('has the options that a new user looks for', () => {
    expect(namesIn(readmeRows)).toEqual(expect.arrayContaining(['serviceName', 'exporter', 'sampler', 'http.ignore']));
  });

  it('has no option that does not exist', () => {
    expect(without(namesIn(readmeRows), pathsOf(typed))).toEqual([]);
  });

  it('has the variables of each option', () => {
    const rows = readmeRows.filter(({ options }) => options.length > 0);
    const expected = rows.map(({ options }) => {
      const ofRow = typed.filter(({ path }) => options.includes(path));
      return { options, variables: sorted(ofRow.flatMap(({ variables }) => variables)) };
    });
    expect(rows.map(({ options, variables }) => ({ options, variables: sorted(variables) }))).toEqual(expected);
  });
});

describe('docs/configuration.md', () => {
  it('has every option', () => {
    const shown = namesIn(guideRows);
    const missing = typed.filter(({ path, isRepeated }) => {
      // The options of one exporter or sampler have their names in a table of their own.
      const name = path.replace(/^(exporter|sampler)\./, '');
      return !isRepeated && name !== 'type' && !shown.includes(name);
    });
    expect(pathsOf(missing)).toEqual([]);
  });

  it('mentions no option that does not exist', () => {
    const groups = typed.filter(({ path, isGroup }) => isGroup && !path.includes('.')).map(({ path }) => path);
    const mentioned = codesIn(guide.replaceAll(/```[^]*?```|^\|.*$/gm, '')).filter((code) =>
      groups.some((group) => new RegExp(`^${group}(\\.\\w+)+$`).test(code)),
    );
    expect(mentioned).toContain('baggage.attributes');
    expect(without(mentioned, pathsOf(typed))).toEqual([]);
  });
});

describe('the variables', () => {
  const read = readVariables();

  it('in the tables are the variables that the options read', () => {
    const inTables = guide.split('\n').filter((line) => line.startsWith('|'));
    expect(sorted(inTables.flatMap(codesIn).filter((code) => code.startsWith('OTEL_')))).toEqual(read);
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
