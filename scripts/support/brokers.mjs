import { findKafka } from './kafka.mjs';
import { findPrograms } from './programs.mjs';

/** The folder where Debian keeps the programs of RabbitMQ. Those on the PATH are wrappers that change the user. */
const DEBIAN_RABBITMQ = '/usr/lib/rabbitmq/bin';

/**
 * Returns the paths of the programs of NATS, RabbitMQ, Mosquitto and Kafka. If one is missing, root installs Debian's package in CI, and Maven
 * downloads Kafka once.
 *
 * @throws Error that tells what is missing
 */
export function findBrokers() {
  return {
    nats: findPrograms('NATS', 'nats-server', ['nats-server']),
    rabbitmq: findPrograms('RabbitMQ', 'rabbitmq-server', ['rabbitmq-server', 'epmd'], () => [DEBIAN_RABBITMQ]),
    mosquitto: findPrograms('Mosquitto', 'mosquitto', ['mosquitto']),
    kafka: findKafka(),
  };
}
