import { grpcSetups, httpSetups } from '../setups.mjs';
import { peerSetups } from './peers.mjs';

const peers = await peerSetups();
const all = [...httpSetups, ...grpcSetups, ...peers];

/** @throws Error where a name is none of a set-up */
export function checkNames(names = []) {
  const unknown = names.find((name) => !all.some(({ id }) => id === name));
  if (unknown === undefined) return;
  const ids = [...new Set(all.map(({ id }) => id))];
  throw new Error(`There is no set-up "${unknown}". Use some of: ${ids.join(', ')}.`);
}

/** The set-ups of a group, as far as they are wanted; the bare one always is. */
export function chooseHttp(platform, wanted) {
  const mine = peers.filter(({ apps = ['http'], platforms }) => apps.includes('http') && goesWith(platforms, platform));
  return choose([...httpSetups, ...mine], wanted);
}

/** The set-ups on the older Nest, which bring a bare one of their own. */
export function chooseClassic(platform, wanted) {
  const mine = peers.filter(({ apps, platforms }) => apps?.includes('classic') && goesWith(platforms, platform));
  return choose(mine, { ...wanted, peers: true });
}

export function chooseGrpc(side, kind, wanted) {
  const app = `grpc-${side}`;
  const mine = peers.filter(({ apps }) => apps?.includes(app));
  // A call is a call: what else there is to know, unary calls tell.
  const known = kind === 'unary' || wanted.names ? [...grpcSetups, ...mine] : grpcSetups.filter(({ core }) => core);
  const here = known.map((setup) => Object.assign({}, setup, { spans: setup.spans?.[side] ?? setup.spans }));
  return choose(here, wanted);
}

function goesWith(platforms, platform) {
  return !platforms || platforms.includes(platform);
}

function choose(setups, { against, length, names, node, nodes, peers }) {
  const everything = node.major === nodes[0] && length !== 'smoke';
  const wanted = setups.filter(({ core, id, peer }) => {
    if (id === 'bare') return true;
    if (names) return names.includes(id);
    return (peers || !peer) && (core || everything);
  });
  if (!against) return wanted;
  // The same again with the other library, each beside its twin.
  return wanted.flatMap((setup) =>
    setup.setup === 'ours'
      ? [setup, { ...setup, id: `${setup.id}@against`, title: `${setup.title} (--against)`, variant: 'against' }]
      : [setup],
  );
}

/** @throws Error where a set-up does not go with a version of Node */
export function checkNode({ minNode = 0 }, { major }) {
  if (Number(major) < minNode) throw new Error(`It needs Node ${minNode}.`);
}
