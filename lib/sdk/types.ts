import type { NodeSDKConfiguration } from '@opentelemetry/sdk-node';

// Types of sdk-node, the one package of the SDK that an application installs: the declarations of the library must not import a
// package that an application may not have.

/** A span processor of the SDK. */
export type SpanProcessor = NonNullable<NodeSDKConfiguration['spanProcessors']>[number];
/** A resource of the SDK. */
export type Resource = NodeSDKConfiguration['resource'];
