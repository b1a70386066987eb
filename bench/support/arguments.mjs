import process from 'node:process';
import { parseArgs } from 'node:util';

/** The lengths of runs by name. A generation starts all servers again, because two starts of one program differ as well. */
const lengths = {
  full: { generations: 2, rounds: 4, slice: 700, warmUp: 2_000 },
  quick: { generations: 1, rounds: 4, slice: 500, warmUp: 1_500 },
  smoke: { generations: 1, rounds: 1, slice: 150, warmUp: 200 },
};

/** @throws Error that tells which argument is wrong */
export function parseArguments(args) {
  const { values } = parseArgs({
    args,
    options: {
      only: { type: 'string' },
      node: { type: 'string' },
      setups: { type: 'string' },
      quick: { type: 'boolean', default: false },
      smoke: { type: 'boolean', default: false },
      'no-peers': { type: 'boolean', default: false },
      rounds: { type: 'string' },
      slice: { type: 'string' },
      generations: { type: 'string' },
      library: { type: 'string' },
      at: { type: 'string' },
      against: { type: 'string' },
      profile: { type: 'string' },
      output: { type: 'string' },
      update: { type: 'boolean', default: false },
    },
  });
  const length = values.smoke ? 'smoke' : values.quick ? 'quick' : 'full';
  const durations = { ...lengths[length] };
  for (const name of ['rounds', 'slice', 'generations']) {
    if (values[name] !== undefined) durations[name] = positive(name, values[name]);
  }
  return {
    only: list(values.only),
    nodes: list(values.node) ?? (values.smoke ? [process.versions.node.split('.')[0]] : ['24', '20']),
    setups: list(values.setups),
    length,
    durations,
    peers: !values.smoke && !values['no-peers'],
    library: values.library,
    at: values.at,
    against: values.against,
    profile: values.profile,
    output: values.output,
    update: values.update,
  };
}

function list(text) {
  return text?.split(',').map((part) => part.trim());
}

function positive(name, text) {
  const number = Number(text);
  if (!Number.isInteger(number) || number < 1) throw new Error(`--${name} takes a whole number, not "${text}".`);
  return number;
}
