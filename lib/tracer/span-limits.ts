import type { AttributeLimits } from './attributes.js';

/** The limits of a span, by the specification of the SDK. */
export interface SpanLimits {
  readonly attributes: AttributeLimits;
  readonly eventAttributes: AttributeLimits;
  readonly linkAttributes: AttributeLimits;
  readonly eventCount: number;
  readonly linkCount: number;
}

/** The limits of a span while the options are not known. */
export const EARLY_LIMITS: SpanLimits = {
  attributes: { count: 1024, valueLength: 65_536 },
  eventAttributes: { count: 1024, valueLength: 65_536 },
  linkAttributes: { count: 1024, valueLength: 65_536 },
  eventCount: 1024,
  linkCount: 1024,
};
