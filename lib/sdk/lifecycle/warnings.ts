import { warn } from '../../core/diagnostics.js';
import type { ResolvedOptions } from '../../options/resolve-options.js';

export function warnOfSharing(): void {
  warn(
    'shared-provider',
    'Another application with a TracingModule is running in this process, and OpenTelemetry has one tracer provider per process. This one shares it; its own exporter, sampler, service name, propagators and limits are not used. The provider closes with the last application.',
  );
}

export function warnOfRepetition(): void {
  warn(
    'repeated-module',
    'TracingModule is configured more than once in this application, and the options that were there first count. Import TracingModule.forRoot() or forRootAsync() once, in the root module.',
  );
}

export function warnOfForeignProvider({ providerOptionsGiven }: ResolvedOptions): void {
  if (providerOptionsGiven.length === 0) return;
  warn(
    'foreign-provider',
    `A tracer provider is registered already, so spans go where it sends them. These options are not used: ${providerOptionsGiven.join(', ')}. Set them there, or register no provider before TracingModule.`,
  );
}

export function warnOfVersions(): void {
  warn(
    'api-version',
    'Nothing can be traced: the tracer provider could not be registered with @opentelemetry/api, because two versions of it are installed. Run "npm ls @opentelemetry/api", and install one version for all.',
  );
}

export function warnOfDroppedEarlySpans(count: number): void {
  warn('early-spans', `${count} spans that began before tracing was configured were dropped: too many to keep.`);
}
