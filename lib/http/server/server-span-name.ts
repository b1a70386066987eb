import type { Span } from '@opentelemetry/api';
import { callSafely } from '../../core/diagnostics.js';
import type { HttpRequest, ResolvedHttp } from '../../options/http.js';
import { httpSpanName } from '../method.js';

/** Decides the name of a server span: `{method} {route}` as the semantic conventions define it, unless the application sets another. */
export class ServerSpanName {
  /** The last name that the library, or the owner of a joined span, has set. A different name is the application's choice and stays. */
  private current: string | undefined;

  constructor(
    private readonly span: Span,
    private readonly isJoined: boolean,
  ) {
    this.current = readName(span);
  }

  /** @param route undefined if no route has handled the request, or the route is not known yet */
  update(
    route: string | undefined,
    method: string | undefined,
    request: HttpRequest,
    { knownMethods, spanName }: Pick<ResolvedHttp, 'knownMethods' | 'spanName'>,
  ): void {
    const { span } = this;
    if (readName(span) !== this.current) return;
    const chosen: unknown = spanName && callSafely('http.spanName', () => spanName(request, route));
    const customName = typeof chosen === 'string' ? chosen : undefined;
    // The other instrumentation may have a better name than the method alone.
    if (customName === undefined && route === undefined && this.isJoined) return;
    span.updateName(customName ?? httpSpanName(method, knownMethods, route));
    this.current = readName(span);
  }
}

/** Returns the name of a span. Spans of the SDK expose it, though the API does not declare it. */
function readName(span: Span): string | undefined {
  return (span as { name?: string }).name;
}
