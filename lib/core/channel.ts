import { channel, subscribe, unsubscribe, type Channel } from 'node:diagnostics_channel';
import { guarded } from './diagnostics.js';

/**
 * Channels that were listened to, for good. Node collects one that nobody holds, and when it learns of that too late it also
 * forgets the channel that has come in its place: then publisher and subscriber have one each, and do not hear one another.
 */
const held = new Set<Channel>();

/** What to do with the messages of diagnostics channels, by the name of the channel. */
export type ChannelHandlers = Readonly<Record<string, (message: never) => void>>;

/**
 * Listens to diagnostics channels, until the returned function is called. A channel that nobody publishes to costs nothing,
 * so neither a package nor its version has to be looked for.
 *
 * A handler may be called in the context of whoever made the event happen, which is not always the one it is about.
 */
export function subscribeChannels(handlers: ChannelHandlers): () => void {
  const undos = Object.entries(handlers).map(([name, handler]) => {
    // What a subscriber throws would end the process.
    const subscriber = (message: unknown) => {
      guarded(`A subscriber of the channel ${name}`, () => handler(message as never));
    };
    held.add(channel(name));
    subscribe(name, subscriber);
    return () => unsubscribe(name, subscriber);
  });
  return () => {
    for (const undo of undos) undo();
  };
}
