import type { Integration } from '../core/integration.js';
import type { ResolvedGrpc } from '../options/grpc.js';
import { clientInterceptor } from './client-interceptor.js';
import { clientCallMetrics, serverCallMetrics } from '../core/rpc-metrics.js';
import { OpenCalls } from './open-calls.js';
import { serverInterceptor } from './server-interceptor.js';
import { traceGrpcClients } from './trace-grpc-clients.js';
import { traceGrpcServer } from './trace-grpc-server.js';

/** Instruments gRPC on both sides: a span for each call. */
export const grpcIntegration: Integration<{ readonly grpc: ResolvedGrpc | undefined }> = {
  name: 'grpc',
  start({ grpc }, { areAttributesReadAtStart, meter, modules }) {
    if (!grpc) return undefined;
    const openCalls = new OpenCalls();
    const server = serverInterceptor({ ...grpc, meter: meter(serverCallMetrics) }, openCalls);
    const clientMeter = meter(clientCallMetrics);
    const client = clientInterceptor({ ...grpc, areAttributesReadAtStart, meter: () => clientMeter });
    traceGrpcClients(modules, client);
    return {
      beforeTransport: (transport) => traceGrpcServer(transport, server),
      providersReady: () => traceGrpcClients(modules, client),
      drain: () => openCalls.drain(),
    };
  },
};
