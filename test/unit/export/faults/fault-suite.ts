import { join } from 'node:path';
import { afterAll, afterEach, beforeEach, expect, it, jest } from '@jest/globals';
import { setDiagnosticsSink } from '../../../../lib/core/diagnostics.js';
import { authority } from '../../../support/certificates.js';
import { TemporaryFolder } from '../../../support/temporary-folder.js';
import { PATHS, type PathKind, type StartedPath } from './export-paths.js';
import { FAULTS } from './faults.js';
import { fakeTime, pass, realTime } from './virtual-time.js';
import { World } from './world.js';

/** The times for which a fault lasts, in milliseconds: longer than that of an export with all its attempts, and shorter. */
const OUTAGES = [12_000, 3000];
/** The time in which the export goes on when the fault is over, in milliseconds. */
const RECOVERY = 5000;
/** The real time for a handshake of TLS on a busy machine, in milliseconds, in which hardly any of that time passes. */
const HANDSHAKE = 5;
/** The time that a shutdown may take, in milliseconds: that of the options, and a step of the clock. */
const SHUTDOWN = 2200;
/** Sockets at a time: those of exports that may be under way, and those that are closing. */
const MAX_SOCKETS = 34;
/** Bytes that are read of an answer on one connection, with what the system keeps in its buffers. */
const MAX_BYTES = 8_000_000;

const folder = new TemporaryFolder({ 'ca.pem': authority });
afterAll(() => folder[Symbol.dispose]());

let warnings: string[];
let world: World | undefined;
beforeEach(() => {
  warnings = [];
  fakeTime();
  // Every kind of message may be written again.
  jest.advanceTimersByTime(60_000);
  setDiagnosticsSink({ warn: (message) => warnings.push(message) });
});
afterEach(async () => {
  setDiagnosticsSink();
  jest.useRealTimers();
  await world?.close();
  jest.restoreAllMocks();
});

function sumOf({ outcomes: { dropped, exported, failed }, underWay, waiting }: StartedPath['queue']): number {
  return exported + failed + dropped + waiting + underWay;
}

/** Tests a path against every fault that it may meet. Each path has a file of its own: kinds of messages are limited in number. */
export function testFaults(name: keyof typeof PATHS): void {
  const { start, ways, wire }: PathKind = PATHS[name];
  const faults = FAULTS.filter((fault) => ways.includes(fault.way) && (fault.wire ?? wire) === wire);

  it.each(faults)(`${name} go on after a fault on the way $way: $name`, async (fault) => {
    const { backend, proxy } = (world = new World(fault.way, wire));
    await world.listen();
    const path = start(world, { ...world.env, OTEL_EXPORTER_OTLP_CERTIFICATE: join(folder.path, 'ca.pem') });
    const { queue } = path;
    let sent = 0;
    const add = () => {
      path.add();
      sent++;
      expect(sumOf(queue)).toBe(sent);
    };

    add();
    await pass(500);
    while (queue.outcomes.exported === 0) await realTime();
    expect({ exported: queue.outcomes.exported, warnings }).toEqual({ exported: 1, warnings: [] });

    for (const outage of OUTAGES) {
      world.leave(fault.isMute);
      await fault.begin(world);
      await pass(outage, add);
      world.heal();
      await fault.end?.(world);
      const before = queue.outcomes.exported;
      const isBack = () => {
        add();
        return queue.outcomes.exported > before;
      };
      await pass(RECOVERY, isBack, HANDSHAKE);
      expect(queue.outcomes.exported).toBeGreaterThan(before);
    }
    expect(warnings).toEqual(expect.arrayContaining([expect.stringMatching(fault.message)]));
    // One of each kind: a failed export, a full queue, the recovery.
    expect(warnings.length).toBeLessThanOrEqual(3);

    world.leave(fault.isMute);
    await fault.begin(world);
    await pass(1000, add);
    let isDone = false;
    const shutdown = path.shutdown().then(() => (isDone = true));
    await pass(SHUTDOWN, () => isDone);
    expect(isDone).toBe(true);
    await shutdown;
    expect(queue).toMatchObject({ waiting: 0, underWay: 0 });
    expect(sumOf(queue)).toBe(sent);
    await Promise.all([backend.isLeft(), proxy.isLeft()]);
    // Errors of connections that are destroyed come in a later turn.
    while (jest.getTimerCount() > 0) await realTime();
    for (const { mostBytes, mostSockets } of [backend, proxy]) {
      expect(mostSockets).toBeLessThanOrEqual(MAX_SOCKETS);
      expect(mostBytes).toBeLessThan(MAX_BYTES);
    }
  });
}
