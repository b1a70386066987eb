import type { ApplicationFolder } from '../application-folder.js';
import { error, ok, warning, type Finding } from '../finding.js';
import { findPackage, type InstalledPackage } from '../installed-packages.js';
import { isInRange } from '../version-range.js';

const LIBRARY = 'nestjs-tracing';
/** The packages that the library needs, in the order of the report. */
const NEEDED = ['@nestjs/core', '@nestjs/common', '@opentelemetry/api', '@opentelemetry/sdk-node'];
const OPTIONAL = ['@nestjs/microservices', 'prom-client', '@opentelemetry/exporter-jaeger'];

/** Checks that the library is installed, with packages in versions that it supports. */
export function checkVersions({ path }: ApplicationFolder, nodeVersion = process.versions.node): Finding[] {
  const library = findPackage(path, LIBRARY);
  if (!library)
    return [error('packages', `${LIBRARY} is not installed.`, `nest add ${LIBRARY}, or npm install ${LIBRARY}`)];
  const optional = OPTIONAL.filter((name) => findPackage(path, name));
  return [
    checkNode(library, nodeVersion),
    ok('packages', `${LIBRARY} ${library.version}`),
    ...[...NEEDED, ...optional].map((name) => checkPeer(path, library, name, nodeVersion)),
  ];
}

function checkNode({ engines }: InstalledPackage, version: string): Finding {
  const range = engines.node ?? '';
  if (range === '' || isInRange(version, range)) return ok('node', `Node ${version}`);
  return error('node', `Node ${version} is not supported.`, `Use Node ${range}.`);
}

function checkPeer(folder: string, library: InstalledPackage, name: string, nodeVersion: string): Finding {
  const range = library.peerDependencies[name] ?? '';
  // Nest is loaded by the application. The packages of OpenTelemetry may be installed only for the library.
  const found =
    (name.startsWith('@nestjs/') ? findPackage(folder, name) : undefined) ?? findPackage(library.path, name);
  if (!found) return error('packages', `${name} is not installed.`, `npm install ${name}@"${range}"`);
  if (range !== '' && !isInRange(found.version, range))
    return error('packages', `${name} ${found.version} is not supported.`, `npm install ${name}@"${range}"`);
  return checkNodeOf(name, found, nodeVersion) ?? ok('packages', `${name} ${found.version}`);
}

/** Package managers other than npm install the newest version that the range allows, also if it is made for a newer Node. */
function checkNodeOf(name: string, { engines, version }: InstalledPackage, nodeVersion: string): Finding | undefined {
  const range = engines.node ?? '';
  if (!name.startsWith('@opentelemetry/') || range === '' || isInRange(nodeVersion, range)) return undefined;
  return warning(
    'packages',
    `${name} ${version} is made for Node ${range}, and this is Node ${nodeVersion}.`,
    'Use such a version of Node, or the packages for the older ones: @opentelemetry/api@1.9 @opentelemetry/sdk-node@0.223',
  );
}
