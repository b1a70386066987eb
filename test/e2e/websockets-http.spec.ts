import { afterEach, describe, expect, it } from '@jest/globals';
import { Controller, Get } from '@nestjs/common';
import { SubscribeMessage, WebSocketGateway } from '@nestjs/websockets';
import { httpPlatforms } from '../support/http-app.js';
import { message, startSocketApp, type SocketApp } from '../support/socket-app.js';
import { handler, server } from '../support/trace-tree.js';

@WebSocketGateway()
class EchoGateway {
  @SubscribeMessage('echo')
  echo(): object {
    return { event: 'echoed', data: 1 };
  }
}

@Controller()
class PageController {
  @Get('page')
  page(): string {
    return 'page';
  }
}

describe.each(httpPlatforms)('the HTTP requests of Socket.IO on %s', (platform) => {
  let app: SocketApp;
  afterEach(() => app.close());

  it.each([['polling'], ['websocket']] as const)('have no spans, over %s', async (transport) => {
    app = await startSocketApp('Socket.IO', platform, { providers: [EchoGateway], controllers: [PageController] });
    const client = await app.connect('', { transports: [transport] });
    client.send('echo');
    expect(await client.next()).toEqual(['echoed', 1]);
    await app.traces.expect(message('echo', 'EchoGateway.echo'));
    await client.close();
    // The other requests of the application are traced as before, also those that no route has.
    await app.request('/page');
    await app.request('/nothing');
    await app.traces.expect(server('GET /page', 200, handler('PageController.page')), {
      ...server('GET', 404),
      attributes: { 'http.response.status_code': 404 },
    });
  });

  it('are upgrades without a span for ws', async () => {
    app = await startSocketApp('ws', platform, { providers: [EchoGateway], controllers: [PageController] });
    const client = await app.connect();
    client.send('echo');
    await client.next();
    await client.close();
    await app.traces.expect(message('echo', 'EchoGateway.echo'));
  });
});
