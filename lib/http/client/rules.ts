import { evaluatePredicate, isConfirmed } from '../../core/diagnostics.js';
import type { ResolvedHttpClient, OutgoingRequest } from '../../options/http-client.js';
import type { OutgoingMessage } from './outgoing-message.js';
import { parseUrl } from './url.js';

type Request = Pick<OutgoingMessage, 'hasUnknownPort' | 'method' | 'origin' | 'url'>;

/** Applies the options to one outgoing request. The request's URLs are parsed once, when they are first needed. */
export class RequestRules {
  #parsed: { readonly requested: URL | undefined; readonly destination: URL | undefined } | undefined;

  constructor(
    private readonly request: Request,
    private readonly options: Pick<ResolvedHttpClient, 'ignore' | 'propagateTo'>,
  ) {}

  /** The URL that the request is sent to. With a proxy, this is the URL of the proxy. */
  get destination(): URL | undefined {
    return this.parsed.destination;
  }

  /** True if the request is not traced. With a proxy, `ignore` may match either the proxy or the requested host. */
  get isIgnored(): boolean {
    const { ignore } = this.options;
    return (
      ignore !== undefined &&
      this.matchedUrls.some((url) => evaluatePredicate('http.client.ignore', () => ignore(this.describeRequest(url))))
    );
  }

  /**
   * True if the request may carry the trace context. The context must not leave by accident: only the value true counts, and
   * with a proxy, both the proxy and the requested host have to match.
   */
  get allowsPropagation(): boolean {
    const { propagateTo } = this.options;
    if (propagateTo === undefined) return true;
    const { matchedUrls } = this;
    if (matchedUrls.length === 0 || this.request.hasUnknownPort) return false;
    return matchedUrls.every((url) =>
      isConfirmed('http.client.propagateTo', () => propagateTo(this.describeRequest(url))),
    );
  }

  private describeRequest(url: URL): OutgoingRequest {
    return { method: this.request.method, url };
  }

  /** The URLs that the options are matched against. */
  private get matchedUrls(): URL[] {
    const { requested, destination } = this.parsed;
    if (!requested || !destination) return [];
    return requested === destination ? [requested] : [requested, destination];
  }

  private get parsed(): { readonly requested: URL | undefined; readonly destination: URL | undefined } {
    if (this.#parsed) return this.#parsed;
    const { origin, url } = this.request;
    const requested = parseUrl(url);
    this.#parsed = { requested, destination: requested && url.startsWith(`${origin}/`) ? requested : parseUrl(origin) };
    return this.#parsed;
  }
}
