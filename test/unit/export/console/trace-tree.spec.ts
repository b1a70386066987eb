import { stripVTControlCharacters } from 'node:util';
import { SpanKind, SpanStatusCode } from '@opentelemetry/api';
import { describe, expect, it } from '@jest/globals';
import { renderTrace } from '../../../../lib/export/console/trace-tree.js';
import type { ReadableSpan } from '../../../../lib/options/sdk-types.js';
import { fakeSpan } from '../../sdk/fake-span.js';

const failed = (message?: string) => ({ code: SpanStatusCode.ERROR, message });

const STACK = `StockError: only 1 left
    at checked (node:internal/process/task_queues:95:5)
    at query (/app/node_modules/pg/lib/client.js:1:1)
    at InventoryService.reserve (file:///app/src/inventory.service.ts:31:11)
    at main (/app/src/main.ts:1:1)`;

const ORDER = [
  fakeSpan('charge card', {
    id: '4',
    parent: '3',
    kind: SpanKind.CLIENT,
    from: 5,
    to: 35,
    attributes: { 'http.response.status_code': 200 },
  }),
  fakeSpan('reserve stock', {
    id: '5',
    parent: '3',
    from: 36,
    to: 44,
    status: failed('only 1 left'),
    events: [
      {
        name: 'exception',
        at: 44,
        attributes: {
          'exception.type': 'StockError',
          'exception.message': 'only 1 left',
          'exception.stacktrace': STACK,
        },
      },
    ],
  }),
  fakeSpan('OrdersService.place', {
    id: '3',
    parent: '1',
    from: 2,
    to: 46,
    status: failed('order not placed'),
    attributes: { 'order.id': 'o-4711', 'order.items': ['a', 'b'], note: 'two words' },
    events: [{ name: 'order validated', at: 3, attributes: { items: 2 } }],
  }),
  fakeSpan('AuthGuard', { id: '2', parent: '1', from: 0.5, to: 1.1 }),
  fakeSpan('POST /orders', {
    id: '1',
    parent: '9',
    remote: true,
    kind: SpanKind.SERVER,
    to: 48.3,
    attributes: {
      'http.request.method': 'POST',
      'http.route': '/orders',
      'server.port': 3000,
      'http.response.status_code': 500,
    },
    status: failed(),
  }),
];

/** Returns the tree without the times and bars at the right. */
function tree(spans: ReadableSpan[], columns = 100): string[] {
  const lines = renderTrace(spans, { columns, directory: '/app' }).trimEnd().split('\n');
  return lines.slice(1).map((line) => line.replace(/ {2,}\d.*$/, ''));
}

describe('renderTrace', () => {
  it('draws a trace', () => {
    expect(renderTrace(ORDER, { directory: '/app' })).toBe(`\
trace 0000000000000000000000000000000a · shop · 48.3 ms · 5 spans · 3 errors
✗ POST /orders  SERVER       48.3 ms              ━━━━━━━━━━━━━━━━━━━━
│  http.response.status_code=500
├─ AuthGuard                 0.60 ms    +0.50 ms  ━···················
└─ ✗ OrdersService.place     44.0 ms     +2.0 ms  ━━━━━━━━━━━━━━━━━━━·
   │  order not placed
   │  order.id=o-4711 order.items=["a","b"] note="two words"
   │  • order validated +1.0 ms items=2
   ├─ charge card  CLIENT    30.0 ms     +5.0 ms  ··━━━━━━━━━━━━······
   │     http.response.status_code=200
   └─ ✗ reserve stock         8.0 ms    +36.0 ms  ··············━━━━··
         • StockError: only 1 left +8.0 ms
           at InventoryService.reserve (src/inventory.service.ts:31:11)
`);
  });

  it('leaves out the bars if they do not fit, and wraps lines', () => {
    const text = renderTrace(ORDER, { columns: 60 });
    expect(text).not.toContain('━');
    for (const line of text.split('\n').slice(1)) expect(line.length).toBeLessThanOrEqual(120);
    expect(tree(ORDER, 60)).toContain('   │  order.id=o-4711 order.items=["a","b"] note="two words"');
  });

  it('has colours only if they are requested', () => {
    const escape = '\u001b[';
    expect(renderTrace(ORDER)).not.toContain(escape);
    const colored = renderTrace(ORDER, { colors: true });
    expect(colored).toContain(`${escape}31m✗ POST /orders`);
    const plain = stripVTControlCharacters(colored).split('\n');
    expect(plain.map((line) => line.trimEnd())).toEqual(renderTrace(ORDER).split('\n'));
  });

  it('escapes control characters of the data', () => {
    const evil = '\u001b[2J\u0007\r\n\t\u202egnp\u009b31m';
    const span = fakeSpan(evil, {
      attributes: { [evil]: evil, list: [evil] },
      status: failed(evil),
      events: [
        { name: evil, at: 1, attributes: { [evil]: evil } },
        { name: 'exception', at: 1, attributes: { 'exception.type': evil, 'exception.stacktrace': `at ${evil}` } },
      ],
    });
    const named = { ...span, resource: { attributes: { 'service.name': evil } } } as unknown as ReadableSpan;
    const text = renderTrace([named]);
    // oxlint-disable-next-line no-control-regex
    expect(text).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e]/);
    expect(text).toContain('\\u001b[2J');
    expect(text.split('\n')).toHaveLength(9);
  });

  it('shortens long names, values and lists', () => {
    const attributes = Object.fromEntries(Array.from({ length: 12 }, (_, index) => [`key${index}`, 'v'.repeat(500)]));
    const events = Array.from({ length: 40 }, (_, index) => ({ name: `event ${index}`, at: index }));
    const text = renderTrace([fakeSpan('n'.repeat(500), { attributes, events })], { columns: 100 });
    for (const line of text.split('\n')) expect(line.length).toBeLessThanOrEqual(120);
    expect(text).toContain('… 4 more');
    expect(text).toContain('• 24 more events');
    expect(text.length).toBeLessThan(3000);
  });

  it.each([
    [0.004, '0.00 ms'],
    [0.5, '0.50 ms'],
    [1.26, '1.3 ms'],
    [99.96, '100 ms'],
    [999.4, '999 ms'],
    [1240, '1.24 s'],
    [59_990, '59.99 s'],
    [125_400, '2 min 5 s'],
  ])('writes %d ms as %s', (to, expected) => {
    expect(renderTrace([fakeSpan('a', { to })])).toContain(` ${expected}`);
  });

  it('draws spans without their parents in the order of their start', () => {
    const spans = [fakeSpan('b', { parent: 'gone', from: 5 }), fakeSpan('a', { parent: 'gone', from: 1 })];
    expect(tree(spans)).toEqual(['a', 'b']);
  });

  it('draws a span that is its own parent, and a span without a duration', () => {
    expect(tree([fakeSpan('a', { id: '1', parent: '1', to: 0 })])).toEqual(['a']);
  });

  it('shows links, and the given start of the trace', () => {
    const context = { traceId: 'f'.repeat(32), spanId: '1'.repeat(16), traceFlags: 1 };
    const late = fakeSpan('send mail', { from: 46, to: 60, links: [{ context }] });
    const text = renderTrace([late], { start: Number(1_700_000_000_000), note: 'late' });
    expect(text).toContain('60.0 ms · 1 span · late');
    expect(text).toContain('+46.0 ms');
    expect(text).toContain(`↔ linked to trace ${'f'.repeat(32)}`);
  });

  it('is empty without spans', () => {
    expect(renderTrace([])).toBe('');
  });
});
