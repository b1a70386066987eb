import type { Application } from './nest-project.js';
import type { Project } from './project.js';

/** The backends for development that a compose file starts. */
export type Backends = 'jaeger' | 'grafana';

/** The files of the package for Grafana, by their paths. */
export interface Templates {
  readonly paths: readonly string[];
  read(path: string): string;
}

const COMPOSE = 'compose.yaml';

const JAEGER = `# Jaeger for development: docker compose -f compose.tracing.yaml up
# Its page is http://localhost:16686. It keeps traces in memory, and its ports are open only to this machine.

services:
  jaeger:
    image: jaegertracing/jaeger:2.20.0
    ports:
      - 127.0.0.1:4317:4317
      - 127.0.0.1:4318:4318
      - 127.0.0.1:16686:16686
`;

const COMPOSE_HEAD = `# Backends for traces and metrics, for development: docker compose -f observability/compose.yaml up
# Grafana is http://localhost:3001, Jaeger is http://localhost:16686. There are no passwords, so all ports are open only to this machine.
# \`docker compose down\` deletes all data.
`;

/** Adds a compose file with a backend, and dashboards for it. Files that exist are left as they are. */
export function addBackends(
  project: Project,
  application: Application,
  backends: Backends,
  loadTemplates: () => Templates,
): void {
  if (backends === 'jaeger') {
    add(project, '/compose.tracing.yaml', JAEGER);
    return;
  }
  const folder = '/observability';
  const templates = loadTemplates();
  for (const path of templates.paths) {
    const text = templates.read(path);
    add(project, `${folder}/${path}`, path === COMPOSE ? composeFile(text) : text);
  }
  add(project, `${folder}/prometheus/prometheus.yaml`, prometheusFile(serviceName(project, application)));
  if (project.dependsOn('prom-client')) return;
  project.ask(
    "The dashboards need metrics: npm install prom-client, and TracingModule.forRoot({ metrics: { path: '/metrics' } }). Correct name and port of the service in observability/prometheus/prometheus.yaml.",
  );
}

function add(project: Project, path: string, text: string): void {
  if (project.read(path) === undefined) project.write(path, text);
}

/** Removes what only the sample needs: its first lines, and the collector for tail sampling at the end. */
function composeFile(sample: string): string {
  const start = sample.indexOf('\nservices:');
  const end = sample.indexOf('\n\n  # For services that send to port 14318');
  return `${COMPOSE_HEAD}${sample.slice(start, end < 0 ? undefined : end).replace(/ *# Port 3000 .*\n/, '')}\n`;
}

function prometheusFile(service: string): string {
  return `# One job for each service, with the service's name in traces: dashboards and alerts distinguish services by \`job\`.

global:
  scrape_interval: 5s
  evaluation_interval: 15s

rule_files: [alerts.yaml]

scrape_configs:
  - job_name: ${JSON.stringify(service)}
    static_configs:
      - targets: [host.docker.internal:3000]
`;
}

function serviceName({ manifest }: Project, { name }: Application): string {
  return name ?? manifest.name ?? 'my-service';
}
