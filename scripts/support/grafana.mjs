import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { cache } from './cache.mjs';
import { npm } from './pack.mjs';

const folder = join(cache, 'grafana');

const dependencies = {
  '@grafana/data': '13.2.1',
  '@grafana/grafana-foundation-sdk': '0.0.21',
  '@grafana/prometheus': '13.2.1',
  // A replacement, because the real package needs a browser.
  '@grafana/runtime': 'file:runtime',
  react: '18.3.1',
  'react-dom': '18.3.1',
};

/** The part of `@grafana/runtime` that Grafana's other packages use to turn an exemplar into a link. */
const runtime = `let service;
exports.setDataSourceSrv = (newService) => void (service = newService);
exports.getDataSourceSrv = () => service;
`;

/** Installs the parts of Grafana that npm has (about 300 MB) into the cache, on the first call. Returns the folder. */
export function grafanaPackages() {
  const manifest = `${JSON.stringify({ private: true, dependencies }, null, 2)}\n`;
  const file = join(folder, 'package.json');
  const done = join(folder, 'node_modules/.package-lock.json');
  if (existsSync(done) && readFileSync(file, 'utf8') === manifest) return folder;
  console.log(`Installing parts of Grafana into ${folder}. This is done only once.`);
  mkdirSync(join(folder, 'runtime'), { recursive: true });
  writeFileSync(join(folder, 'runtime/package.json'), '{ "name": "@grafana/runtime", "version": "13.2.1" }\n');
  writeFileSync(join(folder, 'runtime/index.js'), runtime);
  writeFileSync(file, manifest);
  // The packages require different versions of React, and packages that only a browser needs.
  const options = ['--legacy-peer-deps', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'];
  npm(['install', ...options], { cwd: folder, stdio: 'inherit' });
  return folder;
}
