import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { setDiagnosticsSink } from '../../../../lib/core/diagnostics.js';
import { ReportingExporter } from '../../../../lib/sdk/export/reporting-exporter.js';
import type { Transport } from '../../../../lib/sdk/export/transport.js';
import type { ExportCallback, ExportResult } from '../../../../lib/sdk/types.js';
import type { ReadableSpan, SpanExporter } from '../../../../lib/options/sdk-types.js';
import { unhandledRejections } from '../../../support/unhandled-rejections.js';
import { fakeSpan } from '../fake-span.js';

let warnings: string[];
let destinations = 0;
beforeEach(() => {
  warnings = [];
  setDiagnosticsSink({ warn: (message) => warnings.push(message) });
});
afterEach(() => setDiagnosticsSink());

/** An error that throws whenever it is used. */
function hostile(): Error {
  const fail = () => {
    throw new Error('do not touch');
  };
  return new Proxy(new Error('hostile'), { get: fail, has: fail, getPrototypeOf: fail, ownKeys: fail });
}

function exporting(
  behaviour: (done: ExportCallback, spans: ReadableSpan[]) => void,
  rest: Partial<SpanExporter> = {},
  split?: Transport['split'],
) {
  const exporter: SpanExporter = {
    export: (spans, done) => behaviour(done, spans),
    shutdown: () => Promise.resolve(),
    ...rest,
  };
  // Each test has its own destination, because a warning about a destination is written once in a minute.
  const reporting = new ReportingExporter({ exporter, split }, `backend-${++destinations}`, 50);
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
  it('counts exported spans without a warning', () => {
    const { reporting, send } = exporting((done) => done({ code: 0 }));
    expect(send(3)).toEqual([{ code: 0 }]);
    expect(reporting).toMatchObject({ outcomes: { exported: 3, failed: 0 } });
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
    expect(send()).toEqual([expect.objectContaining({ code: 1 })]);
    expect(send()).toHaveLength(1);
    expect(reporting).toMatchObject({ taken: 2, outcomes: { exported: 0, failed: 2 } });
    expect(warnings).toEqual([`1 span is lost: the export to ${reporting.outcomes.destination} failed (${reason}).`]);
  });

  it.each<[what: string, answer: unknown, reason: string]>([
    ['nothing', undefined, 'Error: the exporter called back without a result'],
    ['null', null, 'Error: the exporter called back without a result'],
    ['an object without a code', {}, 'Error: the exporter called back without a result'],
    ['a text', 'done', 'Error: the exporter called back without a result'],
    ['an error that cannot be read', { code: 1, error: hostile() }, 'an error that cannot be described'],
    ['a code that cannot be read', hostile(), 'Error: do not touch'],
  ])('counts %s as a failure', (_what, answer, reason) => {
    const { reporting, send } = exporting((done) => done(answer as ExportResult));
    expect(send()).toEqual([{ code: 1, error: expect.any(Error) }]);
    expect(reporting).toMatchObject({ taken: 1, outcomes: { exported: 0, failed: 1 } });
    expect(warnings).toEqual([`1 span is lost: the export to ${reporting.outcomes.destination} failed (${reason}).`]);
  });

  it.each<[what: string, reason: unknown, message: string]>([
    ['an error', new Error('refused'), 'Error: refused'],
    ['nothing', undefined, 'Error: undefined'],
  ])('counts an async export that rejects with %s', async (_what, reason, message) => {
    const { reporting, send } = exporting(() => Promise.reject(reason));
    expect(await unhandledRejections(() => void send())).toEqual([]);
    expect(reporting).toMatchObject({ taken: 1, outcomes: { exported: 0, failed: 1 } });
    expect(warnings).toEqual([expect.stringContaining(`(${message})`)]);
  });

  it('counts an async export by its answer, not by its promise', async () => {
    const rejecting = (done: ExportCallback) => {
      done({ code: 0 });
      return Promise.reject(new Error('after the answer'));
    };
    const { reporting, send } = exporting(rejecting);
    expect(await unhandledRejections(() => void send(2))).toEqual([]);
    expect(reporting).toMatchObject({ taken: 2, outcomes: { exported: 2, failed: 0 } });
  });

  it('exports the other spans of a batch again if the exporter throws because of one', () => {
    const received: string[] = [];
    const exporter: SpanExporter = {
      export(spans, done) {
        if (spans.some(({ name }) => name.startsWith('bad'))) throw new Error('cannot be encoded');
        received.push(...spans.map(({ name }) => name));
        done({ code: 0 });
      },
      shutdown: () => Promise.resolve(),
    };
    const reporting = new ReportingExporter({ exporter }, `backend-${++destinations}`, 50);
    const batch = (bad: readonly number[]) =>
      Array.from({ length: 512 }, (_, index) => fakeSpan(bad.includes(index) ? `bad ${index}` : 'good'));
    for (const bad of [[17], [0, 511], [100, 200, 300]]) {
      const done = jest.fn();
      reporting.export(batch(bad), done);
      expect(done.mock.calls).toEqual([[expect.objectContaining({ code: 1 })]]);
    }
    expect(reporting).toMatchObject({ taken: 1536, outcomes: { exported: 1530, failed: 6 } });
    expect(received).toHaveLength(1530);
  });

  it('calls an exporter that always throws a bounded number of times', () => {
    let calls = 0;
    const { reporting, send } = exporting(() => {
      calls++;
      throw new Error('broken');
    });
    send(512);
    expect(calls).toBeLessThan(100);
    calls = 0;
    send(512);
    expect(calls).toBe(1);
    expect(reporting).toMatchObject({ taken: 1024, outcomes: { exported: 0, failed: 1024 } });
  });

  it('counts the spans of an export even if the exporter changes the list', () => {
    const { reporting, send } = exporting((done, spans) => {
      spans.length = 0;
      done({ code: 0 });
    });
    send(3);
    expect(reporting).toMatchObject({ taken: 3, outcomes: { exported: 3, failed: 0 } });
  });

  it('exports a batch as a whole if splitting it throws', () => {
    const fail = () => {
      throw new Error('no size');
    };
    const { reporting, send } = exporting((done) => done({ code: 0 }), {}, fail);
    send(3);
    expect(reporting).toMatchObject({ taken: 3, outcomes: { exported: 3, failed: 0 } });
  });

  it('counts a bounded number of kinds of failures apart', () => {
    let code = 0;
    const { reporting, send } = exporting((done) =>
      done({ code: 1, error: Object.assign(new Error('no'), { code: ++code }) }),
    );
    for (let index = 0; index < 100; index++) send();
    expect(reporting.outcomes.failures.size).toBe(33);
    expect(reporting.outcomes.failures.get('_OTHER')).toBe(68);
    expect(reporting.outcomes.failed).toBe(100);
  });

  it('shuts its exporter down once, after the pending exports, and fails later ones', async () => {
    const calls: string[] = [];
    let answer: ExportCallback = () => {};
    const shutdown = () => Promise.resolve(void calls.push('shutdown'));
    const { reporting, send } = exporting((done) => void (answer = done), { shutdown });
    send();
    const closed = Promise.all([reporting.shutdown(), reporting.shutdown()]);
    expect(send(2)).toEqual([{ code: 1, error: new Error('the exporter has shut down') }]);
    expect(calls).toEqual([]);
    answer({ code: 0 });
    await closed;
    await reporting.shutdown();
    expect(calls).toEqual(['shutdown']);
    expect(reporting).toMatchObject({ taken: 3, outcomes: { exported: 1, failed: 2 } });
  });

  it('counts the first of two answers', () => {
    const { reporting, send } = exporting((done) => {
      done({ code: 1 });
      done({ code: 0 });
    });
    expect(send()).toEqual([{ code: 1 }]);
    expect(reporting).toMatchObject({ outcomes: { exported: 0, failed: 1 } });
  });

  it('warns once that exports succeed again', () => {
    let code = 1;
    const { reporting, send } = exporting((done) => done({ code }));
    send(2);
    code = 0;
    send();
    send();
    expect(warnings.slice(1)).toEqual([`Spans reach ${reporting.outcomes.destination} again; 2 are lost so far.`]);
  });

  it('has at most four pending exports, and starts the others in their order', () => {
    const answers: ExportCallback[] = [];
    const { reporting, send } = exporting((done, spans) => void (answers[spans.length] = done));
    const results = [1, 2, 3, 4, 5, 6].map((count) => send(count));
    expect(Object.keys(answers)).toEqual(['1', '2', '3', '4']);
    expect(reporting.taken).toBe(10);
    answers[2]!({ code: 0 });
    expect(Object.keys(answers)).toEqual(['1', '2', '3', '4', '5']);
    reporting.failAll('too late');
    expect(Object.keys(answers)).toHaveLength(5);
    expect(reporting).toMatchObject({ taken: 21, outcomes: { exported: 2, failed: 19 } });
    expect(results.map(([result]) => result?.code)).toEqual([1, 0, 1, 1, 1, 1]);
  });

  it('starts queued exports when it fails the pending ones', () => {
    const answers: ExportCallback[] = [];
    const { reporting, send } = exporting((done) => void answers.push(done));
    const results = Array.from({ length: 6 }, () => send());
    expect(reporting.failPending('too late')).toBe(4);
    expect(answers).toHaveLength(6);
    for (const answer of answers) answer({ code: 0 });
    expect(results.map(([result]) => result?.code)).toEqual([1, 1, 1, 1, 0, 0]);
  });

  it('starts any number of exports that are answered at once', () => {
    const first: ExportCallback[] = [];
    const { reporting, send } = exporting((done) => void (first.length < 4 ? first.push(done) : done({ code: 0 })));
    for (let index = 0; index < 10_000; index++) send();
    first[0]!({ code: 0 });
    expect(reporting.outcomes.exported).toBe(9_997);
    reporting.failAll('the test is over');
  });

  it('exports in parts, answers once, and counts only the failed parts', () => {
    const halves = (spans: readonly ReadableSpan[]) => [spans.slice(0, 2), spans.slice(2)];
    const answer = (done: ExportCallback, spans: ReadableSpan[]) => done({ code: spans.length === 2 ? 1 : 0 });
    const { reporting, send } = exporting(answer, {}, halves);
    expect(send(5)).toEqual([{ code: 1 }]);
    expect(reporting).toMatchObject({ taken: 5, outcomes: { exported: 3, failed: 2 } });
  });

  it('warns at the end how many spans are lost, and why, unless there was only one loss', () => {
    let code = 1;
    const { reporting, send } = exporting((done) => done({ code }));
    reporting.outcomes.warnOfTotal();
    send(2);
    reporting.outcomes.warnOfTotal();
    expect(warnings).toHaveLength(1);
    reporting.outcomes.countDropped(7);
    reporting.outcomes.countDropped(7);
    code = 0;
    send();
    reporting.outcomes.warnOfTotal();
    const { destination } = reporting.outcomes;
    expect(warnings.slice(1)).toEqual([
      expect.stringContaining(`A span is dropped: 7 already wait for their export to ${destination}.`),
      `Spans reach ${destination} again; 4 are lost so far.`,
      `4 spans to ${destination} are lost: 2 found no room to wait, the export of 2 failed; 1 have arrived.`,
    ]);
  });

  it('fails an export without an answer after a timeout', async () => {
    const { send } = exporting(() => {});
    const results = send();
    await new Promise((resolve) => setTimeout(resolve, 80));
    expect(results).toEqual([{ code: 1, error: new Error('no answer within 50 ms') }]);
    expect(warnings).toHaveLength(1);
  });

  it('settles when every export is answered or failed', async () => {
    const answers: ExportCallback[] = [];
    const { reporting, send } = exporting((done) => void answers.push(done));
    const settled = jest.fn();
    await reporting.whenSettled();
    send();
    const results = send();
    void reporting.whenSettled().then(settled);
    answers[0]?.({ code: 0 });
    await Promise.resolve();
    expect(settled).not.toHaveBeenCalled();
    expect(reporting.failPending('too late')).toBe(1);
    await Promise.resolve();
    expect(settled).toHaveBeenCalled();
    expect(results).toEqual([{ code: 1, error: new Error('too late') }]);
    expect(reporting.failPending('again')).toBe(0);
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
