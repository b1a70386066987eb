import type { ClientHttp2Session } from 'node:http2';
import { ConnectionError } from './sender.js';

/** The time between two looks at a connection, in milliseconds. */
const INTERVAL = 500;
/** Looks without an answer of the receiver after which it is pinged: after one second, and after five. */
const PING_AFTER = new Set([2, 10]);
/**
 * Pings without an answer to a call. A server of gRPC takes pings that come more often than every five minutes as an attack, unless it
 * sends something in between: it ends the connection (`ENHANCE_YOUR_CALM`) at the third.
 */
const MAX_PINGS = 2;
/** Looks without a reply to a ping after which the connection is lost. */
const LOST_AFTER = 5;
/** Looks without an answer to a call after which further calls get another connection: after two seconds. */
const SILENT_AFTER = 4;

/**
 * Watches a connection of HTTP/2 while calls are under way, and destroys it if the receiver no longer replies: a receiver that vanishes
 * without a word, such as one behind a firewall that drops packets, would otherwise be noticed only when the time of a call is up.
 *
 * Looks are counted, in place of time, because the event loop may have been blocked: a reply may then wait to be read.
 */
export class ConnectionWatch {
  private calls = 0;
  private timer: NodeJS.Timeout | undefined;
  /** Looks since the first call or the last answer. */
  private silentLooks = 0;
  private pings = 0;
  /** Looks since the ping that waits for a reply. Undefined if none does. */
  private looksSincePing: number | undefined;
  private answered = false;
  private isRetired = false;

  constructor(private readonly session: ClientHttp2Session) {
    session.once('connect', () => (this.silentLooks = 0));
    session.once('close', () => clearInterval(this.timer));
  }

  /** True if the receiver has answered a call on this connection. */
  get hasAnswered(): boolean {
    return this.answered;
  }

  /** True if calls have waited for an answer for some time, and there was none to any of them. */
  get isSilent(): boolean {
    return this.calls > 0 && this.silentLooks >= SILENT_AFTER;
  }

  /** Closes the connection when its last call has ended: there will be no more. */
  closeWhenIdle(): void {
    this.isRetired = true;
    if (this.calls === 0) this.session.close();
  }

  /** A call starts. Only a call that is under way keeps the process alive. */
  enter(): void {
    if (this.calls++ > 0) return;
    this.session.ref();
    this.silentLooks = 0;
    this.timer = setInterval(this.look, INTERVAL).unref();
  }

  /** A call has ended. */
  leave(): void {
    if (--this.calls > 0) return;
    this.session.unref();
    clearInterval(this.timer);
    if (this.isRetired) this.session.close();
  }

  /** The receiver has answered a call. */
  onAnswer(): void {
    this.answered = true;
    this.silentLooks = 0;
    this.pings = 0;
    this.looksSincePing = undefined;
  }

  private readonly look = (): void => {
    // A session whose end is not reported yet throws if it is pinged.
    if (this.session.destroyed) return;
    if (this.looksSincePing !== undefined && ++this.looksSincePing >= LOST_AFTER) {
      const silence = (LOST_AFTER * INTERVAL) / 1000;
      this.session.destroy(
        new ConnectionError(`the connection is mute: no reply to a ping in ${silence} s`, 'ETIMEDOUT'),
      );
      return;
    }
    if (PING_AFTER.has(++this.silentLooks) && this.pings < MAX_PINGS) this.ping();
  };

  private ping(): void {
    this.pings++;
    this.looksSincePing ??= 0;
    // A session that is not connected yet sends the ping when it is.
    this.session.ping((error) => {
      if (!error) this.looksSincePing = undefined;
    });
  }
}
