import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { cache } from './cache.mjs';
import { npm } from './pack.mjs';

const folder = join(cache, 'grafana');

const dependencies = {
  '@grafana/data': '13.2.1',
  '@grafana/grafana-foundation-sdk': '0.0.21',
  '@grafana/prometheus': '13.2.1',
  // The real one needs a browser.
  '@grafana/runtime': 'file:runtime',
  react: '18.3.1',
  'react-dom': '18.3.1',
};

/** What Grafana's other packages ask `@grafana/runtime` for, where they turn an exemplar into a link. */
const runtime = `let service;
exports.setDataSourceSrv = (given) => void (service = given);
exports.getDataSourceSrv = () => service;
`;

/** Installs the parts of Grafana that npm has, some 300 MB, into the cache, this once; returns the folder. */
export function grafanaPackages() {
  const manifest = `${JSON.stringify({ private: true, dependencies }, null, 2)}\n`;
  const file = join(folder, 'package.json');
  const done = join(folder, 'node_modules/.package-lock.json');
  if (existsSync(done) && readFileSync(file, 'utf8') === manifest) return folder;
  console.log(`Installing parts of Grafana into ${folder}, this once.`);
  mkdirSync(join(folder, 'runtime'), { recursive: true });
  writeFileSync(join(folder, 'runtime/package.json'), '{ "name": "@grafana/runtime", "version": "13.2.1" }\n');
  writeFileSync(join(folder, 'runtime/index.js'), runtime);
  writeFileSync(file, manifest);
  // They ask for different versions of React, and for what only a browser needs.
  const options = ['--legacy-peer-deps', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'];
  npm(['install', ...options], { cwd: folder, stdio: 'inherit' });
  return folder;
}
