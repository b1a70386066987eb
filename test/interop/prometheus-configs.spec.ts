import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { parse } from 'yaml';
import { complaintOf, observabilityFolder, prometheusPrograms } from './support/observability.js';

const { promtool } = prometheusPrograms();

const checks = {
  configuration: [promtool, 'check', 'config', 'prometheus/prometheus.yaml'],
  alerts: [promtool, 'check', 'rules', '--lint-fatal', 'prometheus/alerts.yaml'],
  'alerts by their tests': [promtool, 'test', 'rules', 'prometheus/alerts.test.yaml'],
};

it.each(Object.entries(checks))('promtool accepts the %s', (_title, check) => {
  expect(complaintOf(check, observabilityFolder)).toBe('');
});

it('the tests of the alerts have each of them raised, and not raised', () => {
  type Rules = { groups: { rules: { alert: string }[] }[] };
  type Tests = { tests: { alert_rule_test: { alertname: string; exp_alerts: unknown[] }[] }[] };
  const { groups } = read<Rules>('prometheus/alerts.yaml');
  const { tests } = read<Tests>('prometheus/alerts.test.yaml');
  const tested = tests.flatMap((test) => test.alert_rule_test);
  const names = (raised: boolean) =>
    new Set(tested.filter((it) => it.exp_alerts.length > 0 === raised).map(({ alertname }) => alertname));
  const alerts = new Set(groups.flatMap(({ rules }) => rules.map(({ alert }) => alert)));
  expect(names(true)).toEqual(alerts);
  expect(names(false)).toEqual(alerts);
});

describe('promtool refuses', () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'nestjs-tracing-config-'));
    cpSync(observabilityFolder, folder, { recursive: true });
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  it.each([
    ['a job that is there twice', 'prometheus/prometheus.yaml', 'orders', 'gateway', 'configuration', 'gateway'],
    ['an expression that is none', 'prometheus/alerts.yaml', 'up == 0', 'up = 0', 'alerts', 'could not parse'],
    [
      'another limit than the tests know',
      'prometheus/alerts.yaml',
      '> 0.05',
      '> 0.2',
      'alerts by their tests',
      'HttpErr',
    ],
    [
      'an alert that goes on',
      'prometheus/alerts.yaml',
      '[5m]) > 0\n',
      '[1h]) > 0\n',
      'alerts by their tests',
      'SpansDr',
    ],
  ] as const)('%s', (_title, name, right, wrong, check, complaint) => {
    const text = readFileSync(join(folder, name), 'utf8');
    expect(text).toContain(right);
    writeFileSync(join(folder, name), text.replace(right, wrong));
    expect(complaintOf(checks[check], folder)).toContain(complaint);
    writeFileSync(join(folder, name), text);
  });
});

function read<T>(name: string): T {
  return parse(readFileSync(join(observabilityFolder, name), 'utf8')) as T;
}
