import { describe, expect, it, jest } from '@jest/globals';
import type { SpanExporter } from '../../../../lib/options/sdk-types.js';
import { SequentialExporter } from '../../../../lib/export/exporters/sequential-exporter.js';
import type { ExportCallback } from '../../../../lib/export/export-result.js';
import { fakeSpan } from '../../sdk/fake-span.js';

describe('SequentialExporter', () => {
  function recording(options: { timeout?: number; gap?: number }) {
    const calls: { names: string[]; at: number; done: ExportCallback }[] = [];
    const inner: SpanExporter = {
      export: (spans, done) => void calls.push({ names: spans.map(({ name }) => name), at: performance.now(), done }),
      shutdown: () => Promise.resolve(),
    };
    return { calls, exporter: new SequentialExporter(inner, { timeout: 1000, ...options }) };
  }
  const tick = () => new Promise((resolve) => setImmediate(resolve));
  const spans = (...names: string[]) => names.map((name) => fakeSpan(name));

  it('starts an export when the one before is answered', async () => {
    const { calls, exporter } = recording({});
    const done = jest.fn();
    exporter.export(spans('a', 'b'), done);
    exporter.export(spans('c'), done);
    await tick();
    expect(calls.map(({ names }) => names)).toEqual([['a', 'b']]);
    calls[0]?.done({ code: 1 });
    await tick();
    expect(done.mock.calls).toEqual([[{ code: 1 }]]);
    expect(calls.map(({ names }) => names)).toEqual([['a', 'b'], ['c']]);
  });

  it('leaves a gap between two exports', async () => {
    const { calls, exporter } = recording({ gap: 20 });
    const done = jest.fn();
    exporter.export(spans('a', 'b'), done);
    exporter.export(spans('c'), done);
    await tick();
    calls[0]?.done({ code: 0 });
    await new Promise((resolve) => setTimeout(resolve, 40));
    expect(calls.map(({ names }) => names)).toEqual([['a', 'b'], ['c']]);
    expect((calls[1]?.at ?? 0) - (calls[0]?.at ?? 0)).toBeGreaterThan(18);
    calls[1]?.done({ code: 0 });
    await tick();
    expect(done).toHaveBeenCalledTimes(2);
  });

  it('fails the pending and the waiting exports at shutdown', async () => {
    const { calls, exporter } = recording({ timeout: 60_000 });
    const done = jest.fn();
    exporter.export(spans('a'), done);
    exporter.export(spans('b'), done);
    await tick();
    await exporter.shutdown();
    await tick();
    const closed = { code: 1, error: new Error('the exporter has shut down') };
    expect(done.mock.calls).toEqual([[closed], [closed]]);
    expect(calls).toHaveLength(1);
  });

  it('fails an export without an answer after a timeout', async () => {
    const { calls, exporter } = recording({ timeout: 20 });
    const done = jest.fn();
    exporter.export(spans('a'), done);
    exporter.export(spans('b'), done);
    await new Promise((resolve) => setTimeout(resolve, 35));
    expect(done.mock.calls).toEqual([[{ code: 1, error: new Error('no answer within 20 ms') }]]);
    expect(calls).toHaveLength(2);
  });
});
