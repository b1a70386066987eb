import { SpanKind, trace, type Attributes, type Context, type Span } from '@opentelemetry/api';

/** The attributes by which the span of a query is known; the second one is the older form. */
const SYSTEM_ATTRIBUTES = ['db.system.name', 'db.system'] as const;

/** The systems whose clients send requests of HTTP, with spans of their own: that of `@elastic/elasticsearch`, say. */
const SYSTEMS_OVER_HTTP: ReadonlySet<unknown> = new Set([
  'aws.dynamodb',
  'azure.cosmosdb',
  'clickhouse',
  'cosmosdb',
  'couchdb',
  'dynamodb',
  'elasticsearch',
  'influxdb',
  'opensearch',
]);

/** The members of the SDK's spans that are read here. */
interface ReadableSpan {
  readonly kind?: SpanKind;
  readonly ended?: boolean;
  readonly attributes?: Attributes;
}

/** True for the client span of a query, of this library or of another instrumentation. */
export function isQuerySpan({ attributes, kind }: Pick<ReadableSpan, 'attributes' | 'kind'>): boolean {
  if (kind !== SpanKind.CLIENT || attributes === undefined) return false;
  return SYSTEM_ATTRIBUTES.some((name) => attributes[name] !== undefined);
}

/** True for the client span of a query that has not ended. */
export function isOpenQuerySpan(span: Span): boolean {
  return (span as ReadableSpan).ended === false && isQuerySpan(span as ReadableSpan);
}

/** True if a request that is sent in this context is the query of a database which has a span already. */
export function isQueryOverHttp(caller: Context): boolean {
  const span = trace.getSpan(caller);
  if (!span || !isOpenQuerySpan(span)) return false;
  const { attributes = {} } = span as ReadableSpan;
  return SYSTEM_ATTRIBUTES.some((name) => SYSTEMS_OVER_HTTP.has(attributes[name]));
}
