/** Simulates a payment provider on the internet. It uses neither tracing nor Nest. */
import { createServer } from 'node:http';
import { text } from 'node:stream/consumers';

const port = Number(process.env.PORT ?? 4000);

const server = createServer((request, response) => {
  void text(request).then((body) => {
    const declined = body.includes('"declined"');
    const respond = () => response.writeHead(declined ? 402 : 201).end(declined ? 'The card was declined' : 'charged');
    return setTimeout(respond, 12);
  });
});
server.listen(port, '127.0.0.1', () => console.log(`payments listens on http://127.0.0.1:${port}`));
