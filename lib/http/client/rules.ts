import { askPredicate, isConfirmed } from '../../core/diagnostics.js';
import type { ResolvedHttpClient, OutgoingRequest } from '../../options/http-client.js';
import type { OutgoingMessage } from './outgoing-message.js';
import { parseUrl } from './url.js';

type Request = Pick<OutgoingMessage, 'hasUnknownPort' | 'method' | 'origin' | 'url'>;

/** What the options say of one outgoing request. Its URLs are parsed once, when the first is asked for. */
export class RequestRules {
  #parsed: { readonly asked: URL | undefined; readonly destination: URL | undefined } | undefined;

  constructor(
    private readonly request: Request,
    private readonly options: Pick<ResolvedHttpClient, 'ignore' | 'propagateTo'>,
  ) {}

  /** Where the request is sent to, as a URL. */
  get destination(): URL | undefined {
    return this.parsed.destination;
  }

  /** True if the request is left alone. Through a proxy, both the proxy and the host that it is asked for may be named. */
  get ignored(): boolean {
    const { ignore } = this.options;
    return (
      ignore !== undefined && this.urls.some((url) => askPredicate('http.client.ignore', () => ignore(this.about(url))))
    );
  }

  /**
   * True if the request is to carry the trace context. Nothing leaves by accident: only a clear yes counts, and through a
   * proxy it takes one for the proxy and one for the host that it is asked for.
   */
  get propagates(): boolean {
    const { propagateTo } = this.options;
    if (propagateTo === undefined) return true;
    const { urls } = this;
    if (urls.length === 0 || this.request.hasUnknownPort) return false;
    return urls.every((url) => isConfirmed('http.client.propagateTo', () => propagateTo(this.about(url))));
  }

  private about(url: URL): OutgoingRequest {
    return { method: this.request.method, url };
  }

  private get urls(): URL[] {
    const { asked, destination } = this.parsed;
    if (!asked || !destination) return [];
    return asked === destination ? [asked] : [asked, destination];
  }

  private get parsed(): { readonly asked: URL | undefined; readonly destination: URL | undefined } {
    if (this.#parsed) return this.#parsed;
    const { origin, url } = this.request;
    const asked = parseUrl(url);
    this.#parsed = { asked, destination: asked && url.startsWith(`${origin}/`) ? asked : parseUrl(origin) };
    return this.#parsed;
  }
}
