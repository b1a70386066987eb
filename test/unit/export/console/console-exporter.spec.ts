import { describe, expect, it } from '@jest/globals';
import { ConsoleSpanExporter } from '../../../../lib/export/console/console-exporter.js';
import type { ReadableSpan } from '../../../../lib/options/sdk-types.js';
import { fakeSpan } from '../../sdk/fake-span.js';

function setUp() {
  const written: string[] = [];
  const exporter = new ConsoleSpanExporter({ write: (text) => void written.push(text), colors: false, columns: 60 });
  const end = (...spans: ReadableSpan[]) => {
    for (const span of spans) exporter.export([span], (result) => expect(result).toEqual({ code: 0 }));
    return written.splice(0).map(outline);
  };
  const start = (...spans: ReadableSpan[]) => {
    for (const span of spans) exporter.onStart(span);
  };
  const flush = async () => {
    await exporter.forceFlush();
    return written.splice(0).map(outline);
  };
  return { end, flush, start };
}

/** Returns the remark of the heading, and the names of the spans. */
function outline(text: string): string {
  const [heading = '', ...rows] = text.trimEnd().split('\n');
  const note = heading.split(' · ').at(5) ?? heading.split(' · ').at(4) ?? '';
  return [note, ...rows.map((row) => row.replace(/ {2,}\d.*$/, '').trim())].filter(Boolean).join('|');
}

describe('ConsoleSpanExporter', () => {
  it('prints a trace when its root has ended', () => {
    const { end } = setUp();
    expect(end(fakeSpan('leaf', { id: '3', parent: '2' }), fakeSpan('child', { id: '2', parent: '1' }))).toEqual([]);
    expect(end(fakeSpan('root', { id: '1' }))).toEqual(['root|└─ child|└─ leaf']);
  });

  it('treats a span whose parent is in another process as a root', () => {
    const { end } = setUp();
    expect(end(fakeSpan('child', { parent: '1' }))).toEqual([]);
    expect(end(fakeSpan('server', { id: '1', parent: '9', remote: true }))).toEqual(['server|└─ child']);
  });

  it('keeps traces apart, and roots of one trace too', () => {
    const { end } = setUp();
    end(
      fakeSpan('other', { parent: '7', trace: 'b' }),
      fakeSpan('mine', { parent: '1' }),
      fakeSpan('theirs', { parent: '2' }),
    );
    expect(end(fakeSpan('server', { id: '2', parent: '5', remote: true }))).toEqual(['server|└─ theirs']);
    expect(end(fakeSpan('root', { id: '1' }))).toEqual(['root|└─ mine']);
  });

  it('prints a span that ends after its root as late, with its descendants', () => {
    const { end } = setUp();
    end(fakeSpan('leaf', { id: '3', parent: '2' }));
    expect(end(fakeSpan('root', { id: '1' }))).toEqual(['root']);
    expect(end(fakeSpan('child', { id: '2', parent: '1', from: 50 }))).toEqual(['ended after its root|child|└─ leaf']);
    expect(end(fakeSpan('later', { parent: '3', from: 60 }))).toEqual(['ended after its root|later']);
  });

  describe('with a request of the application to itself', () => {
    const root = fakeSpan('root', { id: '1' });
    const client = fakeSpan('client', { id: '2', parent: '1' });
    const server = fakeSpan('server', { id: '3', parent: '2', remote: true });
    const handler = fakeSpan('handler', { id: '4', parent: '3' });

    it('prints one tree, in which each span is once', async () => {
      const { end, flush, start } = setUp();
      start(root, client, server, handler);
      expect(end(handler, server, client)).toEqual([]);
      expect(end(root)).toEqual(['root|└─ client|└─ server|└─ handler']);
      expect(await flush()).toEqual([]);
    });

    it('prints one tree if the parent has ended before, and waits itself', () => {
      const { end, start } = setUp();
      start(root, client, server);
      expect(end(client, server)).toEqual([]);
      expect(end(root)).toEqual(['root|└─ client|└─ server']);
    });

    it('prints the span alone if its parent has been printed, was not sampled, or is forgotten', () => {
      const { end, start } = setUp();
      start(root, client);
      expect(end(client, root)).toEqual(['root|└─ client']);
      expect(end(server)).toEqual(['server']);

      const unsampled = fakeSpan('client', { id: '2', trace: 'b' });
      start({ ...unsampled, spanContext: () => ({ ...unsampled.spanContext(), traceFlags: 0 }) });
      expect(end(fakeSpan('server', { id: '3', parent: '2', trace: 'b', remote: true }))).toEqual(['server']);

      const lost = fakeSpan('lost', { id: '8', trace: 'c' });
      start(lost);
      for (let id = 0; id < 10_000; id++) start(fakeSpan('open', { id: `f${id.toString(16)}` }));
      expect(end(fakeSpan('server', { id: '9', parent: '8', trace: 'c', remote: true }))).toEqual(['server']);
    });
  });

  it('prints the waiting spans at a flush', async () => {
    const { end, flush } = setUp();
    end(fakeSpan('a', { parent: '1' }), fakeSpan('b', { parent: '1', trace: 'b' }));
    expect(await flush()).toEqual(['incomplete: its root has not ended|a', 'incomplete: its root has not ended|b']);
    expect(await flush()).toEqual([]);
  });

  it('holds no more than a thousand spans', async () => {
    const { end, flush } = setUp();
    let printed = 0;
    for (let index = 0; index < 2500; index++) {
      const trace = Math.floor(index / 100).toString(16);
      printed += end(fakeSpan('a', { parent: 'ff', trace })).length;
    }
    expect(printed).toBe(15);
    expect(await flush()).toHaveLength(10);
  });
});
