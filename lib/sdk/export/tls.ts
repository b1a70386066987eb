import { readFileSync } from 'node:fs';
import type { ResolvedFile, ResolvedTls } from '../../options/resolved-options.js';
import { TracingConfigurationError } from '../../tracing.errors.js';

/** Certificates in the form that `node:tls` takes. */
export interface TlsFiles {
  readonly ca: Buffer | undefined;
  readonly cert: Buffer | undefined;
  readonly key: Buffer | undefined;
}

/** Reads the certificates that the variables name. */
export function readTlsFiles(tls: ResolvedTls): TlsFiles {
  const single = tls.clientCertificate && tls.clientKey ? undefined : (tls.clientCertificate ?? tls.clientKey);
  if (single) {
    const fix = 'A client needs both: name its certificate by …_CLIENT_CERTIFICATE and its key by …_CLIENT_KEY.';
    throw new TracingConfigurationError(single.variable, single.path, fix);
  }
  return { ca: read(tls.certificate), cert: read(tls.clientCertificate), key: read(tls.clientKey) };
}

function read(file: ResolvedFile | undefined): Buffer | undefined {
  if (!file) return undefined;
  try {
    return readFileSync(file.path);
  } catch (cause) {
    throw new TracingConfigurationError(file.variable, file.path, 'Name a PEM file that can be read.', { cause });
  }
}
