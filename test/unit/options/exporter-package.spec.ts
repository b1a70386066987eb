import { expect, it, jest } from '@jest/globals';
import { TracingPackageError } from '../../../lib/tracing.errors.js';
import { recordWarnings } from '../../support/recorded-warnings.js';

jest.unstable_mockModule('../../../lib/packages/optional.js', () => ({
  requirePackage(name: string, option: string, value: unknown) {
    throw new TracingPackageError(option, value, name);
  },
}));
const { resolveExporters } = await import('../../../lib/options/exporter.js');

const warnings = recordWarnings();

it.each([
  ['jaeger', 'otlp'],
  ['jaeger,console', 'console'],
])('a variable is ignored with a warning if the package of its exporter is missing: %s', (value, type) => {
  expect(resolveExporters(undefined, { OTEL_TRACES_EXPORTER: value })).toMatchObject([{ type }]);
  expect(warnings).toEqual([
    expect.stringMatching(
      /^The variable OTEL_TRACES_EXPORTER is ignored.* because "jaeger" cannot be used\. It needs the package/,
    ),
  ]);
});

it('a collector of Jaeger needs no package', () => {
  const endpoint = 'http://jaeger:14268/api/traces';
  const env = { OTEL_TRACES_EXPORTER: 'jaeger', OTEL_EXPORTER_JAEGER_ENDPOINT: endpoint };
  expect(resolveExporters(undefined, env)).toEqual([{ type: 'jaeger', endpoint }]);
  expect(warnings).toEqual([]);
});
