import { guarded } from '../../core/diagnostics.js';
import type { ResolvedHttpClient } from '../../options/resolved-options.js';
import { parseUrl } from './url.js';

/** What the options say of one outgoing request. Its URL is parsed if somebody asks for it, and once. */
export class RequestRules {
  #parsed: { readonly url: URL | undefined } | undefined;

  constructor(
    private readonly request: { readonly method: string; readonly url: string },
    private readonly options: Pick<ResolvedHttpClient, 'ignore' | 'propagateTo'>,
  ) {}

  get url(): URL | undefined {
    this.#parsed ??= { url: parseUrl(this.request.url) };
    return this.#parsed.url;
  }

  /** Whether the request is left alone. */
  get ignored(): boolean {
    return Boolean(this.ask('ignore'));
  }

  /** Whether the request is to carry the trace context. Nothing leaves by accident: only a clear yes counts. */
  get propagates(): boolean {
    return this.options.propagateTo === undefined || this.ask('propagateTo') === true;
  }

  private ask(option: 'ignore' | 'propagateTo'): boolean | undefined {
    const predicate = this.options[option];
    if (!predicate) return undefined;
    const { url } = this;
    return url && guarded(`http.client.${option}`, () => predicate({ method: this.request.method, url }));
  }
}
