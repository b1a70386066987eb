import { channel, unsubscribe, type ChannelListener } from 'node:diagnostics_channel';
import { afterAll } from '@jest/globals';

/** The channels by which outgoing requests are traced. */
const CHANNELS = [
  'http.client.request.created',
  'http.client.request.start',
  'http.client.response.finish',
  'http.client.request.error',
  'undici:request:create',
  'undici:client:sendHeaders',
  'undici:request:headers',
  'undici:request:trailers',
  'undici:request:error',
];

const HELD = Symbol.for('nestjs-tracing:tests:channels');

// Each test file has a copy of the library that holds the channels. Between two files nothing would hold them, and Node may then
// mix up a channel that was collected with a new one of the same name.
(channel as unknown as Record<symbol, unknown>)[HELD] ??= CHANNELS.map((name) => channel(name));

// Channels belong to the process, which runs several files of tests one after the other. An application whose start was
// meant to fail, or that was not closed, would go on tracing the requests of the next file.
afterAll(() => {
  for (const name of CHANNELS) {
    const { _subscribers: subscribers = [] } = channel(name) as unknown as { _subscribers?: ChannelListener[] };
    for (const subscriber of [...subscribers]) unsubscribe(name, subscriber);
  }
});
