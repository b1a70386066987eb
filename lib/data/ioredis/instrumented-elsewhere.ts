import { isWrappedElsewhere } from '../../core/instrumented-methods.js';
import { LoadedClassProbe } from '../other-instrumentation.js';
import type { IoredisClient } from './ioredis.js';

/** The class of the nodes of a cluster. */
const nodeClass = new LoadedClassProbe(/[\\/](?:ioredis|iovalkey)[\\/]built[\\/]Redis\.js$/, 'sendCommand');

/**
 * True if another instrumentation has spans for the commands of a client. Such instrumentations know no clusters, but the nodes by which a cluster
 * sends its commands.
 */
export function isTracedElsewhere({ isCluster }: IoredisClient, sendCommand: object): boolean {
  return isCluster ? nodeClass.isWrappedElsewhere() : isWrappedElsewhere(sendCommand);
}
