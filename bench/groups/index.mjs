import { data } from './data.mjs';
import { grpcGroup } from './grpc.mjs';
import { classicGroup, httpGroup } from './http.mjs';
import { latency } from './latency.mjs';
import { linearity } from './linearity.mjs';
import { memory } from './memory.mjs';
import { micro } from './micro.mjs';
import { startup } from './startup.mjs';

/** All groups of measurements, in the order of a full run. */
export const groups = [
  httpGroup('fastify'),
  httpGroup('express'),
  classicGroup('fastify'),
  classicGroup('express'),
  grpcGroup('unary', 'server'),
  grpcGroup('unary', 'client'),
  grpcGroup('stream', 'server'),
  grpcGroup('stream', 'client'),
  latency,
  linearity,
  startup,
  memory,
  micro,
  data,
];
