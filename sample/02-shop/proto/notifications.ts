import { Transport } from '@nestjs/microservices';

/** The options of Nest for both sides of the events that the notifications handle. */
export function notificationsTcp(url: string) {
  const [host, port] = url.split(':') as [string, string];
  return { transport: Transport.TCP as const, options: { host, port: Number(port) } };
}
