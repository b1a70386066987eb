import { Transport } from '@nestjs/microservices';
import { freePort } from '../support/free-port.js';
import { describeTransport } from '../support/messaging-suite.js';

const port = await freePort();

describeTransport('TCP', {
  receivesUnmatched: true,
  system: 'tcp',
  options: () => ({ transport: Transport.TCP, options: { host: '127.0.0.1', port } }),
});
