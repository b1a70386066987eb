import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { guarded } from './diagnostics.js';

/** What to do with the messages of diagnostics channels, by the name of the channel. */
export type ChannelHandlers = Readonly<Record<string, (message: never) => void>>;

/**
 * Listens to diagnostics channels, until the returned function is called. A channel that nobody publishes to costs nothing,
 * so neither a package nor its version has to be looked for.
 *
 * A handler may be called in the context of whoever made the event happen, which is not always the one it is about.
 */
export function subscribeChannels(handlers: ChannelHandlers): () => void {
  const undos = Object.entries(handlers).map(([channel, handler]) => {
    // What a subscriber throws would end the process.
    const subscriber = (message: unknown) => {
      guarded(`A subscriber of the channel ${channel}`, () => handler(message as never));
    };
    subscribe(channel, subscriber);
    return () => unsubscribe(channel, subscriber);
  });
  return () => {
    for (const undo of undos) undo();
  };
}
