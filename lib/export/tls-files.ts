import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { createSecureContext } from 'node:tls';
import { describeError, warn } from '../core/diagnostics.js';
import { parseFirst } from '../options/lenient.js';
import type { ResolvedFile, ResolvedTls } from '../options/otlp-signal.js';
import type { Setting } from '../options/setting.js';
import { TracingConfigurationError } from '../tracing.errors.js';

/** Certificates in the form of `node:tls`. */
export interface TlsFiles {
  readonly ca?: Buffer | undefined;
  readonly cert?: Buffer | undefined;
  readonly key?: Buffer | undefined;
}

/** Returns the certificates for a new connection. Never rejects. */
export type TlsFilesReader = () => Promise<TlsFiles>;

/**
 * Reads the certificates now, and returns a function that reads them again if a file has changed since: certificates that live for hours or
 * days are replaced on disk while the application runs. Files that cannot be used, such as a certificate whose key is not written yet, leave
 * the earlier ones in use. Undefined if no variable names a file.
 */
export function watchTlsFiles(resolved: ResolvedTls): TlsFilesReader | undefined {
  const paths = [resolved.certificate, resolved.clientCertificate, resolved.clientKey].flatMap(
    (file) => file?.path ?? [],
  );
  if (paths.length === 0) return undefined;
  let files = readTlsFiles(resolved);
  // The first connection reads them once more: they may have changed before it was known which version was read.
  let version: string | undefined;
  return async () => {
    const newest = await versionOf(paths);
    if (newest === version) return files;
    try {
      files = { ...files, ...readChanged(resolved) };
      version = newest;
    } catch (error) {
      if (version === undefined) version = newest;
      else warnOfChange(paths, error);
    }
    return files;
  };
}

function warnOfChange(paths: readonly string[], error: unknown): void {
  const what = `The certificates of ${paths.join(', ')} have changed and cannot be used`;
  warn('certificates', `${what} (${describeError(error)}): the earlier ones are.`);
}

/** Returns a text that is another one if one of the files has changed. */
async function versionOf(paths: readonly string[]): Promise<string> {
  const versions = await Promise.all(
    paths.map((path) =>
      stat(path).then(
        ({ ino, mtimeMs, size }) => `${ino} ${mtimeMs} ${size}`,
        () => 'missing',
      ),
    ),
  );
  return versions.join();
}

/** @throws if a file cannot be used */
function readChanged({ certificate, clientCertificate, clientKey }: ResolvedTls): TlsFiles {
  const authorities = settingOf(certificate);
  const client = settingOf(clientCertificate);
  return {
    ...(authorities && { ca: readAuthorities(authorities) }),
    ...(client && clientKey && readClientFiles(client, clientKey)),
  };
}

/**
 * Reads the certificates whose files are in the variables. A file that cannot be used is left out with a warning: the connection is
 * encrypted without it, and the certificate of the receiver is checked with the authorities of Node.
 */
export function readTlsFiles({ certificate, clientCertificate, clientKey }: ResolvedTls): TlsFiles {
  const ca = parseFirst(readAuthorities, settingOf(certificate));
  const client = parseFirst((cert) => readClientFiles(cert, clientKey), settingOf(clientCertificate));
  if (!clientCertificate) parseFirst(refuseSingle, settingOf(clientKey));
  return { ca, ...client };
}

function settingOf(file: ResolvedFile | undefined): Setting | undefined {
  return file && { name: file.variable, value: file.path, variable: file.variable };
}

function readAuthorities(setting: Setting): Buffer {
  return readOrRefuse(setting, 'Name a PEM file with certificates that can be read.', () => {
    const ca = readFileSync(String(setting.value));
    // Node accepts a file without certificates, and trusts no receiver then.
    void new X509Certificate(ca);
    return ca;
  });
}

/** Reads the two files of the client, which can only be used together. */
function readClientFiles(
  setting: Setting,
  clientKey: ResolvedFile | undefined,
): Required<Pick<TlsFiles, 'cert' | 'key'>> {
  if (!clientKey) return refuseSingle(setting);
  const fix = `Name a PEM file with a certificate, and its key by ${clientKey.variable}, that can be read.`;
  return readOrRefuse(setting, fix, () => {
    const files = { cert: readFileSync(String(setting.value)), key: readFileSync(clientKey.path) };
    createSecureContext(files);
    return files;
  });
}

function refuseSingle({ name, value }: Setting): never {
  const fix = 'A client needs both: name its certificate by …_CLIENT_CERTIFICATE and its key by …_CLIENT_KEY.';
  throw new TracingConfigurationError(name, value, fix);
}

function readOrRefuse<T>({ name, value }: Setting, fix: string, read: () => T): T {
  try {
    return read();
  } catch (cause) {
    throw new TracingConfigurationError(name, value, fix, { cause });
  }
}
