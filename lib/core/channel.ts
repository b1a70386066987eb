import { channel, subscribe, unsubscribe, type Channel } from 'node:diagnostics_channel';
import { reportIgnored } from './diagnostics.js';

/**
 * The channels that were subscribed to, held for good. Node garbage-collects a channel without references; if its finalizer runs late, it
 * also removes the new channel of that name. Publisher and subscriber then have two different channels.
 */
const subscribedChannels = new Set<Channel>();

/** Returns a diagnostics channel, which is never garbage-collected from now on. */
export function heldChannel(name: string): Channel {
  const held = channel(name);
  subscribedChannels.add(held);
  return held;
}

/** The handlers of the messages of diagnostics channels, by the name of the channel. */
export type ChannelHandlers = Readonly<Record<string, (message: never) => unknown>>;

/**
 * Subscribes to diagnostics channels, until the returned function is called. A channel without a publisher costs nothing, so there is no
 * need to detect the package that publishes, or its version.
 *
 * A handler is called in the context of the code that publishes. Behind a pool that can be the context of another request.
 */
export function subscribeChannels(handlers: ChannelHandlers): () => void {
  const undos = Object.entries(handlers).map(([name, handler]) => {
    // An exception in a subscriber would end the process.
    const subscriber = (message: unknown) => {
      try {
        handler(message as never);
      } catch (error) {
        reportIgnored(`A subscriber of the channel ${name}`, error);
      }
    };
    heldChannel(name);
    subscribe(name, subscriber);
    return () => unsubscribe(name, subscriber);
  });
  return () => {
    for (const undo of undos) undo();
  };
}
