import type { ReadableSpan } from '../../options/sdk-types.js';
import type { EncodedSpan } from './encoded-span.js';

type Resource = ReadableSpan['resource'] & { readonly schemaUrl?: string };
type Scope = ReadableSpan['instrumentationScope'];

/** Spans that share a resource, in groups that share an instrumentation scope, as OTLP arranges them. */
export interface ResourceGroup<Encoded> {
  readonly resource: Resource;
  readonly scopes: readonly { readonly scope: Scope; readonly spans: readonly Encoded[] }[];
}

/** Groups spans by resource and scope. Both are told apart by identity: a tracer has one object of each for all of its spans. */
export function groupSpans<Encoded extends EncodedSpan>(spans: readonly Encoded[]): ResourceGroup<Encoded>[] {
  const resources = new Map<Resource, Map<Scope, Encoded[]>>();
  let last: { resource: Resource; scope: Scope; spans: Encoded[] } | undefined;
  for (const span of spans) {
    const { instrumentationScope: scope, resource } = span;
    if (last?.resource !== resource || last.scope !== scope) {
      let scopes = resources.get(resource);
      if (!scopes) resources.set(resource, (scopes = new Map<Scope, Encoded[]>()));
      let ofScope = scopes.get(scope);
      if (!ofScope) scopes.set(scope, (ofScope = []));
      last = { resource, scope, spans: ofScope };
    }
    last.spans.push(span);
  }
  return Array.from(resources, ([resource, scopes]) => ({
    resource,
    scopes: Array.from(scopes, ([scope, ofScope]) => ({ scope, spans: ofScope })),
  }));
}
