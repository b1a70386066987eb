import type ts from 'typescript';
import { textOf } from '../imports.js';
import type { Source } from '../source.js';
import { constructionOf, portableCode, propertiesOf, resolveConstant } from './expressions.js';
import { describeInstrumentations } from './instrumentations.js';

/** The options of `NodeSDK` as options of `TracingModule`. */
export interface Translation {
  /** The options as code, by their names. */
  readonly options: Map<string, string>;
  /** The parts without a translation. The file has to stay if there is one. */
  readonly doubts: string[];
}

const PROPAGATORS: Readonly<Record<string, string>> = {
  W3CTraceContextPropagator: 'tracecontext',
  W3CBaggagePropagator: 'baggage',
  B3Propagator: 'b3',
  JaegerPropagator: 'jaeger',
  AWSXRayPropagator: 'xray',
};

const SAMPLERS: Readonly<Record<string, string>> = { AlwaysOnSampler: 'always_on', AlwaysOffSampler: 'always_off' };

const NAME_KEYS = /^(?:serviceName|service\.name|\[.*SERVICE_NAME\])$/;
const VERSION_KEYS = /^(?:service\.version|\[.*SERVICE_VERSION\])$/;

/** Translates the argument of `new NodeSDK()`. */
export function translateSdkOptions(
  source: Source,
  argument: ts.Expression | undefined,
  dependencies: readonly string[],
): Translation {
  const translation: Translation = { options: new Map(), doubts: [] };
  const properties = propertiesOf(source, argument);
  if (!properties) return { ...translation, doubts: ['its options are not an object literal'] };
  for (const [name, value] of properties) translate(source, name, value, translation, dependencies);
  return translation;
}

function translate(
  source: Source,
  name: string,
  value: ts.Expression,
  { doubts, options }: Translation,
  dependencies: readonly string[],
): void {
  const set = (option: string, code: string | undefined) => {
    if (code === undefined) doubts.push(`${name}: ${shorten(value.getText())}`);
    else options.set(option, code);
  };
  switch (name) {
    case 'serviceName':
      return set('serviceName', portableCode(source, value));
    case 'resource':
      return translateResource(source, value, set);
    case 'traceExporter':
      return set('exporter', exporterCode(source, value));
    case 'spanProcessor':
      return set('exporter', processorCode(source, value));
    case 'spanProcessors':
      return set('exporter', onlyProcessorCode(source, value));
    case 'sampler':
      return set('sampler', samplerCode(source, value));
    case 'textMapPropagator':
      return set('propagators', propagatorsCode(source, value));
    case 'instrumentations':
      doubts.push(...describeInstrumentations(source, value, dependencies));
      return undefined;
    case 'contextManager':
    case 'autoDetectResources':
      return undefined;
    default:
      return set(name, undefined);
  }
}

function translateResource(source: Source, value: ts.Expression, set: (option: string, code?: string) => void): void {
  const { ts } = source;
  const resource = resolveConstant(source, value);
  const isCall = ts.isCallExpression(resource) || ts.isNewExpression(resource);
  const attributes = isCall ? propertiesOf(source, resource.arguments?.[0]) : undefined;
  if (!attributes) return set('resource', undefined);
  const others: string[] = [];
  for (const [key, each] of attributes) {
    const code = portableCode(source, each);
    if (NAME_KEYS.test(key)) set('serviceName', code);
    else if (VERSION_KEYS.test(key)) set('serviceVersion', code);
    else if (key.startsWith('[') || code === undefined) return set('resource', undefined);
    else others.push(`'${key}': ${code}`);
  }
  if (others.length > 0) set('resource', `{ ${others.join(', ')} }`);
}

function exporterCode(source: Source, value: ts.Expression): string | undefined {
  const construction = constructionOf(source, value);
  if (construction?.className === 'ConsoleSpanExporter') return "'console'";
  if (construction?.className !== 'OTLPTraceExporter') return undefined;
  const settings = propertiesOf(source, construction.argument);
  if (!settings) return undefined;
  const isGrpc = packagesOf(source, 'OTLPTraceExporter').some((name) => name.endsWith('-grpc'));
  const parts = ["type: 'otlp'", ...(isGrpc ? ["protocol: 'grpc'"] : [])];
  for (const [key, each] of settings) {
    const code = portableCode(source, each);
    if (code === undefined || (key !== 'url' && key !== 'headers')) return undefined;
    // The exporter of the SDK sends to exactly this address, this library adds the path of traces.
    if (key === 'url' && !isGrpc && !/\/v1\/traces[`'"]$/.test(code)) return undefined;
    parts.push(`${key === 'url' ? 'endpoint' : key}: ${code}`);
  }
  return parts.length === 1 ? "'otlp'" : `{ ${parts.join(', ')} }`;
}

function processorCode(source: Source, value: ts.Expression): string | undefined {
  const construction = constructionOf(source, value);
  const isPlain = construction && /^(?:Batch|Simple)SpanProcessor$/.test(construction.className);
  return isPlain && construction.argument ? exporterCode(source, construction.argument) : undefined;
}

function onlyProcessorCode(source: Source, value: ts.Expression): string | undefined {
  const list = resolveConstant(source, value);
  const [processor, ...others] = source.ts.isArrayLiteralExpression(list) ? list.elements : [];
  return processor && others.length === 0 ? processorCode(source, processor) : undefined;
}

function samplerCode(source: Source, value: ts.Expression): string | undefined {
  const construction = constructionOf(source, value);
  if (!construction) return undefined;
  const { argument, className } = construction;
  const name = SAMPLERS[className];
  if (name) return `'${name}'`;
  if (className === 'TraceIdRatioBasedSampler' && argument) {
    const ratio = portableCode(source, argument);
    return ratio && `{ ratio: ${ratio}, parentBased: false }`;
  }
  const settings = className === 'ParentBasedSampler' ? propertiesOf(source, argument) : undefined;
  const root = settings?.size === 1 ? settings.get('root') : undefined;
  const rootSampler = root && constructionOf(source, root);
  if (rootSampler?.className === 'TraceIdRatioBasedSampler' && rootSampler.argument) {
    const ratio = portableCode(source, rootSampler.argument);
    return ratio && `{ ratio: ${ratio} }`;
  }
  const rootName = rootSampler && SAMPLERS[rootSampler.className];
  return rootName && `'parentbased_${rootName}'`;
}

function propagatorsCode(source: Source, value: ts.Expression): string | undefined {
  const names = propagatorNames(source, value);
  return names && `[${names.map((name) => `'${name}'`).join(', ')}]`;
}

function propagatorNames(source: Source, value: ts.Expression): string[] | undefined {
  const construction = constructionOf(source, value);
  if (construction?.className === 'CompositePropagator') {
    const list = propertiesOf(source, construction.argument)?.get('propagators');
    const elements = list && resolveConstant(source, list);
    if (!elements || !source.ts.isArrayLiteralExpression(elements)) return undefined;
    const names = elements.elements.map((element) => propagatorNames(source, element));
    return names.every((name) => name !== undefined) ? names.flat() : undefined;
  }
  const name = construction && PROPAGATORS[construction.className];
  // A B3 propagator with options may write several headers.
  return name && !construction.argument ? [name] : undefined;
}

function packagesOf(source: Source, name: string): string[] {
  return source.imports
    .filter(({ importClause }) => importClause?.getText().includes(name))
    .map(({ moduleSpecifier }) => textOf(source, moduleSpecifier));
}

function shorten(code: string): string {
  const text = code.replaceAll(/\s+/g, ' ');
  return text.length > 80 ? `${text.slice(0, 80)}…` : text;
}
