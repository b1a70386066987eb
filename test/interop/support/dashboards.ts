import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { observabilityFolder } from './observability.js';

const folder = join(observabilityFolder, 'grafana/dashboards');

interface Target {
  readonly refId: string;
  readonly expr: string;
  readonly legendFormat: string;
  readonly exemplar: boolean;
  readonly instant: boolean;
}

export interface Dashboard {
  readonly title: string;
  readonly templating: {
    readonly list: readonly { readonly type: string; readonly name: string; readonly query: unknown }[];
  };
  readonly panels: readonly {
    readonly id: number;
    readonly type: string;
    readonly title: string;
    readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
    readonly targets?: readonly Target[];
  }[];
}

/** A query of a panel, with the values that Grafana would insert for the variables. */
export interface PanelQuery extends Omit<Target, 'refId'> {
  /** The path to the query, such as `Services › HTTP, served › Duration › A`. */
  readonly title: string;
}

/** The dashboards as the repository contains them. */
export function dashboards(): Dashboard[] {
  return readdirSync(folder).map((file) => JSON.parse(readFileSync(join(folder, file), 'utf8')) as Dashboard);
}

/** @param variables such as `{ job: 'gateway|orders' }` */
export function panelQueries(variables: Readonly<Record<string, string>>): PanelQuery[] {
  return dashboards().flatMap(({ title, panels }) => {
    let section = '';
    return panels.flatMap((panel) => {
      if (panel.type === 'row') section = panel.title;
      return (panel.targets ?? []).map(({ refId, expr, legendFormat, exemplar, instant }) => ({
        title: [title, section, panel.title, refId].join(' › '),
        expr: expr.replaceAll(/\$(\w+)/g, (name, variable: string) => variables[variable] ?? name),
        legendFormat,
        exemplar,
        instant,
      }));
    });
  });
}
