/**
 * The factor by which tests of load and memory repeat their work: 1 in `npm test`, so that they are quick on a slow machine, and more in
 * `npm run test:load`.
 */
export const scale = Number(process.env.TEST_SCALE ?? 1);
