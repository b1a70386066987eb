import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { setDiagnosticsSink } from '../../../../lib/core/diagnostics.js';
import { MemorySpanExporter } from '../../../../lib/sdk/export/memory-exporter.js';
import { ReportingExporter } from '../../../../lib/sdk/export/reporting-exporter.js';
import { SequentialExporter } from '../../../../lib/sdk/export/sequential-exporter.js';
import type { ExportCallback, ExportResult } from '../../../../lib/sdk/types.js';
import type { ReadableSpan, SpanExporter } from '../../../../lib/tracing.options.js';
import { fakeSpan } from '../fake-span.js';

let warnings: string[];
let destinations = 0;
beforeEach(() => {
  warnings = [];
  setDiagnosticsSink({ warn: (message) => warnings.push(message) });
});
afterEach(() => setDiagnosticsSink());

function exporting(behaviour: (done: ExportCallback, spans: ReadableSpan[]) => void, rest: Partial<SpanExporter> = {}) {
  const exporter: SpanExporter = {
    export: (spans, done) => behaviour(done, spans),
    shutdown: () => Promise.resolve(),
    ...rest,
  };
  // Every test has a destination of its own: a message about one is written once in a minute.
  const reporting = new ReportingExporter(exporter, `backend-${++destinations}`, 50);
  const send = (count = 1) => {
    const results: ExportResult[] = [];
    reporting.export(
      Array.from({ length: count }, () => fakeSpan('a')),
      (result) => results.push(result),
    );
    return results;
  };
  return { reporting, send };
}

describe('ReportingExporter', () => {
  it('counts what arrives, and says nothing', () => {
    const { reporting, send } = exporting((done) => done({ code: 0 }));
    expect(send(3)).toEqual([{ code: 0 }]);
    expect(reporting).toMatchObject({ exported: 3, failed: 0 });
    expect(warnings).toEqual([]);
  });

  it.each<[what: string, behaviour: (done: ExportCallback) => void, reason: string]>([
    ['an error', (done) => done({ code: 1, error: new TypeError('bad') }), 'TypeError: bad'],
    ['no error', (done) => done({ code: 1 }), 'the exporter gives no reason'],
    [
      'an error for each address',
      (done) =>
        done({ code: 1, error: new AggregateError([new Error('refused ::1'), new Error('refused 127.0.0.1')]) }),
      'Error: refused ::1, Error: refused 127.0.0.1',
    ],
    [
      'an exception',
      () => {
        throw new Error('broken');
      },
      'Error: broken',
    ],
    [
      'an exception that is no error',
      () => {
        // oxlint-disable-next-line typescript/only-throw-error
        throw 'broken';
      },
      'Error: broken',
    ],
  ])('reports %s once, and never throws', (_what, behaviour, reason) => {
    const { reporting, send } = exporting(behaviour);
    expect(send(2)).toEqual([expect.objectContaining({ code: 1 })]);
    expect(send()).toHaveLength(1);
    expect(reporting).toMatchObject({ exported: 0, failed: 3 });
    expect(warnings).toEqual([`2 spans are lost: the export to ${reporting.destination} failed (${reason}).`]);
  });

  it('takes the first of two answers', () => {
    const { reporting, send } = exporting((done) => {
      done({ code: 1 });
      done({ code: 0 });
    });
    expect(send()).toEqual([{ code: 1 }]);
    expect(reporting).toMatchObject({ exported: 0, failed: 1 });
  });

  it('says once that it works again', () => {
    let code = 1;
    const { reporting, send } = exporting((done) => done({ code }));
    send(2);
    code = 0;
    send();
    send();
    expect(warnings.slice(1)).toEqual([`Spans reach ${reporting.destination} again; 2 are lost so far.`]);
  });

  it('gives up on an export without an answer', async () => {
    const { send } = exporting(() => {});
    const results = send();
    await new Promise((resolve) => setTimeout(resolve, 80));
    expect(results).toEqual([{ code: 1, error: new Error('no answer within 50 ms') }]);
    expect(warnings).toHaveLength(1);
  });

  it('settles when every export is answered or abandoned', async () => {
    const answers: ExportCallback[] = [];
    const { reporting, send } = exporting((done) => void answers.push(done));
    const settled = jest.fn();
    await reporting.settled();
    send();
    const results = send();
    void reporting.settled().then(settled);
    answers[0]?.({ code: 0 });
    await Promise.resolve();
    expect(settled).not.toHaveBeenCalled();
    expect(reporting.abandon('too late')).toBe(1);
    await Promise.resolve();
    expect(settled).toHaveBeenCalled();
    expect(results).toEqual([{ code: 1, error: new Error('too late') }]);
    expect(reporting.abandon('again')).toBe(0);
  });

  it('reports a flush or shutdown that fails, and resolves', async () => {
    const rejecting = () => Promise.reject(new Error('gone'));
    const { reporting } = exporting(() => {}, { forceFlush: rejecting, shutdown: rejecting });
    await expect(reporting.forceFlush()).resolves.toBeUndefined();
    await expect(reporting.shutdown()).resolves.toBeUndefined();
    expect(warnings).toEqual([
      expect.stringContaining('failed to flush'),
      expect.stringContaining('failed to shut down'),
    ]);
  });
});

describe('SequentialExporter', () => {
  function recording(options: { patience?: number; size?: number; gap?: number }) {
    const calls: { names: string[]; at: number; done: ExportCallback }[] = [];
    const inner: SpanExporter = {
      export: (spans, done) => void calls.push({ names: spans.map(({ name }) => name), at: performance.now(), done }),
      shutdown: () => Promise.resolve(),
    };
    return { calls, exporter: new SequentialExporter(inner, { patience: 1000, ...options }) };
  }
  const tick = () => new Promise((resolve) => setImmediate(resolve));
  const spans = (...names: string[]) => names.map((name) => fakeSpan(name));

  it('begins an export when the one before is answered', async () => {
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

  it('sends in parts with a gap between them, and fails when one of them does', async () => {
    const { calls, exporter } = recording({ size: 2, gap: 20 });
    const done = jest.fn();
    exporter.export(spans('a', 'b', 'c'), done);
    await tick();
    calls[0]?.done({ code: 1 });
    await new Promise((resolve) => setTimeout(resolve, 40));
    calls[1]?.done({ code: 0 });
    await tick();
    expect(calls.map(({ names }) => names)).toEqual([['a', 'b'], ['c']]);
    expect((calls[1]?.at ?? 0) - (calls[0]?.at ?? 0)).toBeGreaterThan(18);
    expect(done.mock.calls).toEqual([[{ code: 1 }]]);
  });

  it('does not wait for an answer for ever', async () => {
    const { calls, exporter } = recording({ patience: 20 });
    const done = jest.fn();
    exporter.export(spans('a'), done);
    exporter.export(spans('b'), done);
    await new Promise((resolve) => setTimeout(resolve, 35));
    expect(done.mock.calls).toEqual([[{ code: 1, error: new Error('no answer within 20 ms') }]]);
    expect(calls).toHaveLength(2);
  });
});

describe('MemorySpanExporter', () => {
  it('keeps the newest spans, in their order, also after its shutdown', async () => {
    const memory = new MemorySpanExporter(3);
    for (const name of ['a', 'b', 'c', 'd', 'e', 'f', 'g']) memory.export([fakeSpan(name)], () => {});
    expect(memory.getFinishedSpans().map(({ name }) => name)).toEqual(['e', 'f', 'g']);
    await memory.shutdown();
    expect(memory.getFinishedSpans()).toHaveLength(3);
    memory.reset();
    expect(memory.getFinishedSpans()).toEqual([]);
  });

  it('is bounded by default', () => {
    const memory = new MemorySpanExporter();
    const span = fakeSpan('a');
    for (let index = 0; index < 25_000; index++) memory.export([span], () => {});
    expect(memory.getFinishedSpans()).toHaveLength(10_000);
  });
});
