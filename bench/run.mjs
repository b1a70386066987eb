/**
 * Measures the cost of tracing with this library and with others, and reports which goals are met.
 *
 *   npm run bench -- [options]
 *
 *   --only GROUPS       groups by the beginnings of their names, separated by commas: http-fastify, http-express, classic-…,
 *                       grpc-unary-…, grpc-stream-…, linearity, startup, memory, micro, data
 *   --node VERSIONS     for example 24 or 20,24; default 24,20
 *   --setups IDS        only these set-ups, and bare
 *   --quick             fewer and shorter slices: half the time
 *   --smoke             one very short round without peers, to test the bench itself
 *   --no-peers          without the set-ups that need more packages
 *   --rounds N, --slice MILLISECONDS, --generations N
 *   --library TARBALL   measures this package instead of the working tree
 *   --at COMMIT         measures the library of a commit
 *   --against TARBALL   also measures a second library, for comparison; it may be a commit
 *   --profile SETUP     profiles a set-up instead of measuring; with --only and --node
 *   --output FILE       without extension; default results/latest for a full run, results/partial for a part
 *   --update            replaces only the groups measured now in results/latest
 */
import process from 'node:process';
import { parseArguments } from './support/arguments.mjs';
import { bench } from './support/bench.mjs';

// Exits regularly after a signal, so that exit handlers can clean up.
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => process.exit(1));

try {
  process.exitCode = await bench(parseArguments(process.argv.slice(2)));
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
}
