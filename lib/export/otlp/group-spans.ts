import type { ReadableSpan } from '../../options/sdk-types.js';

type Resource = ReadableSpan['resource'] & { readonly schemaUrl?: string };
type Scope = ReadableSpan['instrumentationScope'];

/** Spans that share a resource, in groups that share an instrumentation scope, as OTLP arranges them. */
export interface ResourceGroup {
  readonly resource: Resource;
  readonly scopes: readonly { readonly scope: Scope; readonly spans: readonly ReadableSpan[] }[];
}

/** Groups spans by resource and scope. Both are told apart by identity: a tracer has one object of each for all of its spans. */
export function groupSpans(spans: readonly ReadableSpan[]): ResourceGroup[] {
  const resources = new Map<Resource, Map<Scope, ReadableSpan[]>>();
  let last: { resource: Resource; scope: Scope; spans: ReadableSpan[] } | undefined;
  for (const span of spans) {
    const { instrumentationScope: scope, resource } = span;
    if (last?.resource !== resource || last.scope !== scope) {
      let scopes = resources.get(resource);
      if (!scopes) resources.set(resource, (scopes = new Map<Scope, ReadableSpan[]>()));
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
