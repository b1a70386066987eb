/** What these dashboards need of Grafana's classic dashboard format, and how panels come to their places. */

/** Columns of Grafana's grid. */
const COLUMNS = 24;
const PANEL_HEIGHT = 8;
/** The variable that says which Prometheus is asked, so that a dashboard can be taken elsewhere. */
const datasource = { type: 'prometheus', uid: '${datasource}' };

/** A query of a panel, and what its series are called. */
export interface Query {
  readonly expr: string;
  readonly legend: string;
  /** Shows the exemplars of the series that were asked for. @default false */
  readonly exemplars?: boolean;
}

export interface PanelOptions {
  readonly title: string;
  readonly description?: string;
  /** As Grafana names it: `s`, `reqps`, `percentunit`, `bytes`, `short`. */
  readonly unit: string;
  readonly queries: readonly Query[];
  /** Of 24 columns. @default 8 */
  readonly width?: number;
  /** Values from which on it is yellow, and red. */
  readonly limits?: readonly [warning: number, critical: number];
}

/** A panel that has no place yet. */
export interface Panel {
  readonly type: string;
  readonly title: string;
  readonly width: number;
  readonly height: number;
  readonly [property: string]: unknown;
}

export interface DashboardOptions {
  readonly uid: string;
  readonly title: string;
  readonly description: string;
  /** A query for the values of the variable `job`. */
  readonly jobs: string;
  readonly sections: readonly { readonly title: string; readonly panels: readonly Panel[] }[];
}

/** Curves over time. */
export function curves(options: PanelOptions): Panel {
  const thresholdsStyle = { mode: options.limits ? 'dashed' : 'off' };
  const custom = { drawStyle: 'line', lineWidth: 1, fillOpacity: 8, showPoints: 'never', thresholdsStyle };
  return panel('timeseries', options, {
    fieldConfig: fieldConfig(options, { custom, color: { mode: 'palette-classic' } }),
    options: {
      legend: { showLegend: true, displayMode: 'list', placement: 'bottom', calcs: [] },
      tooltip: { mode: 'multi', sort: 'desc' },
    },
    targets: options.queries.map((query, index) => target(query, index, { range: true, instant: false })),
  });
}

/** A bar for the present value of each series. */
export function bars(options: PanelOptions): Panel {
  return panel('bargauge', options, {
    fieldConfig: fieldConfig(options, { color: { mode: 'thresholds' } }),
    options: {
      displayMode: 'basic',
      orientation: 'horizontal',
      showUnfilled: true,
      valueMode: 'color',
      reduceOptions: { calcs: ['lastNotNull'], fields: '', values: false },
    },
    targets: options.queries.map((query, index) => target(query, index, { range: false, instant: true })),
  });
}

/** The dashboard as Grafana reads it. */
export function dashboard({ uid, title, description, jobs, sections }: DashboardOptions): object {
  return {
    uid,
    title,
    description,
    tags: ['nestjs-tracing'],
    schemaVersion: 42,
    editable: true,
    graphTooltip: 1,
    refresh: '10s',
    time: { from: 'now-15m', to: 'now' },
    links: [{ type: 'dashboards', title: '', tags: ['nestjs-tracing'], includeVars: true, keepTime: true }],
    templating: { list: [datasourceVariable, jobVariable(jobs)] },
    panels: placed(sections),
  };
}

const datasourceVariable = {
  type: 'datasource',
  name: 'datasource',
  label: 'Prometheus',
  query: 'prometheus',
  current: { text: 'Prometheus', value: 'prometheus' },
};

function jobVariable(query: string): object {
  return {
    type: 'query',
    name: 'job',
    label: 'Service',
    datasource,
    query: { query, refId: 'job' },
    refresh: 2,
    sort: 1,
    multi: true,
    includeAll: true,
    current: { text: ['All'], value: ['$__all'] },
  };
}

function panel(type: string, { title, description, width = 8 }: PanelOptions, rest: object): Panel {
  return { type, title, ...(description && { description }), datasource, width, height: PANEL_HEIGHT, ...rest };
}

function fieldConfig({ unit, limits }: PanelOptions, more: object): object {
  const [warning, critical] = limits ?? [];
  const steps = [
    { color: 'green', value: null },
    ...(warning === undefined ? [] : [{ color: 'yellow', value: warning }]),
    ...(critical === undefined ? [] : [{ color: 'red', value: critical }]),
  ];
  return { defaults: { unit, min: 0, thresholds: { mode: 'absolute', steps }, ...more }, overrides: [] };
}

function target({ expr, legend, exemplars = false }: Query, index: number, kind: object): object {
  const refId = String.fromCharCode('A'.charCodeAt(0) + index);
  return { refId, datasource, editorMode: 'code', expr, legendFormat: legend, exemplar: exemplars, ...kind };
}

/** Each section below its title, its panels from left to right. */
function placed(sections: DashboardOptions['sections']): object[] {
  const found: object[] = [];
  let y = 0;
  for (const { title, panels } of sections) {
    found.push({ id: found.length + 1, type: 'row', title, collapsed: false, gridPos: { x: 0, y, w: COLUMNS, h: 1 } });
    y += 1;
    let x = 0;
    for (const { width, height, ...panel } of panels) {
      if (x + width > COLUMNS) {
        x = 0;
        y += PANEL_HEIGHT;
      }
      found.push({ id: found.length + 1, gridPos: { x, y, w: width, h: height }, ...panel });
      x += width;
    }
    y += PANEL_HEIGHT;
  }
  return found;
}
