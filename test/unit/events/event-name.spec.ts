import { expect, it } from '@jest/globals';
import { eventNameOf } from '../../../lib/events/emitter/event-name.js';

it.each<[unknown, string | undefined]>([
  ['order.placed', 'order.placed'],
  [Symbol('placed'), 'Symbol(placed)'],
  [['order', Symbol('placed')], 'order.Symbol(placed)'],
  [['order', 'placed'], 'order.placed'],
  ['', undefined],
  [undefined, undefined],
  [7, undefined],
])('the event %p has the name %p', (event, name) => {
  expect(eventNameOf(event)).toBe(name);
});
