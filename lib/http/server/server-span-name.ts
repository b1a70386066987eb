import type { Span } from '@opentelemetry/api';
import { guarded } from '../../core/diagnostics.js';
import type { HttpRequest, ResolvedHttp } from '../../options/http.js';
import { httpSpanName } from '../method.js';

/** Decides the name of a server span: `{method} {route}` by the conventions, unless the application names it. */
export class ServerSpanName {
  /** The name that was set last by the library, or by the owner of a joined span. Any other is the application's choice. */
  private current: string | undefined;

  constructor(
    private readonly span: Span,
    private readonly isJoined: boolean,
  ) {
    this.current = readName(span);
  }

  /** @param route undefined if no route has taken the request, or none is known */
  update(
    route: string | undefined,
    method: string | undefined,
    request: HttpRequest,
    { knownMethods, spanName }: Pick<ResolvedHttp, 'knownMethods' | 'spanName'>,
  ): void {
    const { span } = this;
    if (readName(span) !== this.current) return;
    const chosen: unknown = spanName && guarded('http.spanName', () => spanName(request, route));
    const given = typeof chosen === 'string' ? chosen : undefined;
    // The other instrumentation may have a better name than the method alone.
    if (given === undefined && route === undefined && this.isJoined) return;
    span.updateName(given ?? httpSpanName(method, knownMethods, route));
    this.current = readName(span);
  }
}

/** Spans of the SDK have a name to read, though the API does not declare it. */
function readName(span: Span): string | undefined {
  return (span as { name?: string }).name;
}
