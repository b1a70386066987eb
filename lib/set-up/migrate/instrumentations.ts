import type ts from 'typescript';
import type { Source } from '../source.js';
import { constructionOf, propertiesOf, resolveConstant } from './expressions.js';

/** The instrumentations of OpenTelemetry whose work this library does. */
const REPLACED =
  /^(?:Http|Undici|Express|Fastify|FastifyOtel|NestJS|Nestjs|Grpc|Net|Dns|Pg|MySQL2|IORedis|Redis|MongoDB|Mongoose|Knex|Typeorm|TypeOrm|Tedious|GraphQL|SocketIo|Router|Connect|Pino|Winston)Instrumentation$/;

/**
 * The packages that auto-instrumentation instruments and this library does not, as in getNodeAutoInstrumentations() 0.8x. Kafka and
 * RabbitMQ are traced as transports of Nest, not as packages.
 */
const NOT_REPLACED = [
  /^(?:@aws-sdk\/|aws-sdk$|@smithy\/)/,
  /^(?:amqplib|kafkajs|cassandra-driver|memcached|mysql|oracledb|openai|restify|@hapi\/hapi|koa|bunyan|dataloader|lru-memoizer|cucumber)$/,
];

/** Returns the dependencies of an application that would lose their spans together with auto-instrumentation. */
export function lostWithAutoInstrumentation(dependencies: readonly string[]): string[] {
  return dependencies.filter((name) => NOT_REPLACED.some((pattern) => pattern.test(name)));
}

/** Returns what of a list of instrumentations is not replaced by this library. */
export function describeInstrumentations(
  source: Source,
  value: ts.Expression,
  dependencies: readonly string[],
): string[] {
  const list = resolveConstant(source, value);
  const elements = source.ts.isArrayLiteralExpression(list) ? list.elements : [list];
  return elements.flatMap((element) => describe(source, element, dependencies));
}

function describe(source: Source, element: ts.Expression, dependencies: readonly string[]): string[] {
  const { ts } = source;
  const construction = constructionOf(source, element);
  if (construction) {
    if (!REPLACED.test(construction.className))
      return [`the instrumentation ${construction.className} has no replacement here`];
    return construction.argument ? [`the options of ${construction.className} need a translation`] : [];
  }
  const call = resolveConstant(source, element);
  if (!ts.isCallExpression(call) || call.expression.getText() !== 'getNodeAutoInstrumentations') {
    return [`instrumentations: ${element.getText()}`];
  }
  const settings = propertiesOf(source, call.arguments[0]);
  const isSwitch = (each: ts.Expression) => /^\{\s*enabled:\s*(?:true|false),?\s*\}$/.test(each.getText());
  const options =
    settings && [...settings].filter(([, each]) => !isSwitch(each)).map(([name]) => `the options of ${name}`);
  const lost = lostWithAutoInstrumentation(dependencies).map(
    (name) => `auto-instrumentation of ${name} has no replacement here`,
  );
  return [...(options ?? ['the options of getNodeAutoInstrumentations()']), ...lost];
}
