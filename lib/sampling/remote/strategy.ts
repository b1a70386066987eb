/** A sampling strategy of Jaeger. */
export type Strategy =
  | { readonly kind: 'ratio'; readonly ratio: number }
  | { readonly kind: 'rate'; readonly perSecond: number }
  | { readonly kind: 'operations'; readonly ratio: number; readonly ratioOf: ReadonlyMap<string, number> };

/** The answer of Jaeger's sampling API: Protocol Buffers as JSON, in which a field that is zero may be missing. */
interface Answer {
  probabilisticSampling?: { samplingRate?: number };
  rateLimitingSampling?: { maxTracesPerSecond?: number };
  operationSampling?: {
    defaultSamplingProbability?: number;
    perOperationStrategies?: { operation: string; probabilisticSampling?: { samplingRate?: number } }[];
  };
}

/**
 * Reads the answer of Jaeger's sampling API. The lower bounds of operations, which guarantee some traces per second, are ignored.
 *
 * @throws Error if the answer has no strategy that is known
 */
export function readStrategy(answer: unknown): Strategy {
  if (typeof answer !== 'object' || answer === null) throw new Error('the answer is no object');
  const { probabilisticSampling, rateLimitingSampling, operationSampling } = answer as Answer;
  const operations = operationSampling?.perOperationStrategies ?? [];
  if (operations.length > 0) {
    const ratio = fraction(operationSampling?.defaultSamplingProbability);
    const entries = operations.map(
      ({ operation, probabilisticSampling }) => [operation, fraction(probabilisticSampling?.samplingRate)] as const,
    );
    return { kind: 'operations', ratio, ratioOf: new Map(entries) };
  }
  if (rateLimitingSampling) {
    const perSecond = rateLimitingSampling.maxTracesPerSecond ?? 0;
    if (Number.isFinite(perSecond) && perSecond >= 0) return { kind: 'rate', perSecond };
    throw new Error(`maxTracesPerSecond is ${String(perSecond)}`);
  }
  if (probabilisticSampling) return { kind: 'ratio', ratio: fraction(probabilisticSampling.samplingRate) };
  throw new Error('the answer holds no strategy that is known');
}

function fraction(value = 0): number {
  if (value >= 0 && value <= 1) return value;
  throw new Error(`a sampling rate is ${String(value)}`);
}
