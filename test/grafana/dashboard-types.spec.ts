import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, expect, it } from '@jest/globals';
import { observabilityFolder } from '../interop/support/observability.js';

const root = join(import.meta.dirname, '../..');
const folder = join(observabilityFolder, 'grafana/dashboards');
const file = join(process.env.GRAFANA_PACKAGES ?? '', 'dashboard.mts');

interface Panel {
  readonly type: string;
  readonly targets?: readonly object[];
  readonly options?: object;
  readonly fieldConfig?: { readonly defaults: { readonly custom?: object } };
}

afterEach(() => rmSync(file, { force: true }));

it.each(readdirSync(folder))("has nothing in %s that Grafana's own types do not know", (name) => {
  const dashboard = JSON.parse(readFileSync(join(folder, name), 'utf8')) as { panels: Panel[] };
  expect(complaints(dashboard)).toBe('');
});

it('would be told of what they do not know', () => {
  const panels = [{ type: 'timeseries', options: { legends: {} }, targets: [{ expression: 'up' }] }];
  const unknown = complaints({ panels, tag: [] }).matchAll(/'"(\w+)"' does not exist/g);
  expect([...unknown].map(([, name]) => name)).toEqual(['tag', 'expression', 'legends']);
});

/** Returns the compiler's errors for a dashboard as a value of Grafana's types. */
function complaints({ panels, ...dashboard }: { panels: Panel[]; [property: string]: unknown }): string {
  const checks = [check('Dashboard', dashboard), ...panels.flatMap(checksOf)];
  writeFileSync(file, [preamble, ...checks].join('\n'));
  const options = ['--noEmit', '--strict', '--skipLibCheck', '--target', 'es2023', '--module', 'nodenext'];
  const compiler = join(root, 'node_modules/typescript/bin/tsc');
  return spawnSync(process.execPath, [compiler, '--ignoreConfig', ...options, file], { encoding: 'utf8' }).stdout;
}

/** Grafana's types do not cover the parts that depend on the kind of a panel, so each of these parts has its own check. */
function checksOf({ type, targets = [], options, fieldConfig, ...panel }: Panel): string[] {
  const { custom, ...defaults } = fieldConfig?.defaults ?? {};
  return [
    check(type === 'row' ? 'RowPanel' : 'Panel', panel),
    check('FieldConfig', defaults),
    ...targets.map((target) => check('Dataquery', target)),
    ...(options ? [check(`${type}.Options`, options)] : []),
    ...(custom ? [check(`${type}.FieldConfig`, custom)] : []),
  ];
}

function check(type: string, value: object): string {
  return `satisfied<Known<${type}>>(${JSON.stringify(value)});`;
}

/** The head of the compiled file. It turns enums into texts, because JSON has texts where Grafana's types have enums. */
const preamble = `
import type * as bargauge from '@grafana/grafana-foundation-sdk/bargauge';
import type { Dashboard, FieldConfig, Panel, RowPanel } from '@grafana/grafana-foundation-sdk/dashboard';
import type { Dataquery } from '@grafana/grafana-foundation-sdk/prometheus';
import type * as timeseries from '@grafana/grafana-foundation-sdk/timeseries';

type Known<T> = T extends string
  ? string
  : T extends number | boolean
    ? T extends number ? number : boolean
    : T extends readonly (infer Item)[]
      ? Known<Item>[]
      : T extends object
        ? { [Key in keyof T]?: Known<T[Key]> }
        : T;
declare function satisfied<T>(value: T): void;
`;
