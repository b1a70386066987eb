/** Builds dashboards in Grafana's classic format, and arranges their panels. */

/** The number of columns in Grafana's grid. */
const COLUMNS = 24;
const PANEL_HEIGHT = 8;
/** A variable for the Prometheus to query, so that a dashboard can be used with any Grafana. */
const datasource = { type: 'prometheus', uid: '${datasource}' };

/** A query of a panel, with the names of its series. */
export interface Query {
  readonly expr: string;
  readonly legend: string;
  /** True if the panel shows the exemplars of the series. @default false */
  readonly exemplars?: boolean;
}

export interface PanelOptions {
  readonly title: string;
  readonly description?: string;
  /** A unit of Grafana: `s`, `reqps`, `percentunit`, `bytes`, `short`. */
  readonly unit: string;
  readonly queries: readonly Query[];
  /** The width in columns, of 24. @default 8 */
  readonly width?: number;
  /** The values from which on the panel is yellow, and red. */
  readonly limits?: readonly [warning: number, critical: number];
}

/** A panel without its position. */
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

/** A panel with curves over time. */
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

/** A panel with a bar for the present value of each series. */
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

/** A dashboard in Grafana's format. */
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
    panels: arrangePanels(sections),
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

/** Arranges each section below its title, with its panels from left to right. */
function arrangePanels(sections: DashboardOptions['sections']): object[] {
  const arranged: object[] = [];
  let y = 0;
  for (const { title, panels } of sections) {
    arranged.push({
      id: arranged.length + 1,
      type: 'row',
      title,
      collapsed: false,
      gridPos: { x: 0, y, w: COLUMNS, h: 1 },
    });
    y += 1;
    let x = 0;
    for (const { width, height, ...panel } of panels) {
      if (x + width > COLUMNS) {
        x = 0;
        y += PANEL_HEIGHT;
      }
      arranged.push({ id: arranged.length + 1, gridPos: { x, y, w: width, h: height }, ...panel });
      x += width;
    }
    y += PANEL_HEIGHT;
  }
  return arranged;
}
