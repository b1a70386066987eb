import type { Integration } from '../core/integration.js';
import type { ResolvedWebSockets } from '../options/websockets.js';
import { activeConnectionsMetric, messageMetrics } from './metrics.js';
import { Namespaces } from './namespaces.js';
import { traceAdapter } from './trace-adapter.js';
import { traceConnections, type TracedConnections } from './trace-connections.js';
import type { SocketTracing } from './tracing.js';

/** Instruments gateways: a span for each message of a WebSocket client. */
export const webSocketsIntegration: Integration<{ readonly websockets: ResolvedWebSockets | undefined }> = {
  name: 'websockets',
  start({ websockets }, { meter: meterOf, modules }) {
    if (!websockets) return undefined;
    let tracing: SocketTracing | undefined;
    let undos: (() => void)[] = [];
    let connections: TracedConnections | undefined;
    const adapters = new WeakSet<object>();
    return {
      beforeGateways() {
        const meter = meterOf(messageMetrics);
        const activeConnections = meter?.instruments.upDownCounter(activeConnectionsMetric);
        const namespaces = new Namespaces();
        namespaces.add(modules);
        tracing = { ...websockets, namespaces, meter, activeConnections };
        if (websockets.connections) connections = traceConnections(modules, tracing);
      },
      beforeSocketAdapter(adapter) {
        if (!tracing || adapters.has(adapter)) return;
        adapters.add(adapter);
        undos.push(traceAdapter(adapter, tracing));
      },
      acquire: () => connections?.undoBound(),
      shutdown() {
        connections?.undo();
        for (const undo of undos) undo();
        undos = [];
      },
    };
  },
};
