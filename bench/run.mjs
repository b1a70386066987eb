/**
 * Measures what tracing costs, beside what others cost, and says which goals are met.
 *
 *   npm run bench -- [options]
 *
 *   --only GROUPS       the beginnings of some of: http-fastify, http-express, classic-…, grpc-unary-…, grpc-stream-…,
 *                       linearity, startup, memory, micro; with a comma between them
 *   --node VERSIONS     such as 24 or 20,24; default 24,20
 *   --setups IDS        only these set-ups, and bare
 *   --quick             fewer and shorter slices: half the time
 *   --smoke             one tiny round without peers: does the bench itself work?
 *   --no-peers          nothing that has to be installed besides
 *   --rounds N, --slice MILLISECONDS, --generations N
 *   --library TARBALL   measures this package instead of the working tree
 *   --at COMMIT         measures the library of a commit
 *   --against TARBALL   measures a second library beside it; a commit will do as well
 *   --profile SETUP     shows where a set-up spends its time, instead of measuring; with --only, --node
 *   --output FILE       without an extension; default results/latest for everything, results/partial for a part
 *   --update            replaces only the groups measured now in results/latest
 */
import process from 'node:process';
import { parseArguments } from './support/arguments.mjs';
import { bench } from './support/bench.mjs';

// Ends like any other program that is told to, and so tidies up.
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => process.exit(1));

try {
  process.exitCode = await bench(parseArguments(process.argv.slice(2)));
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
}
