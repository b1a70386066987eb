import http from 'node:http';
import https from 'node:https';
import { json } from 'node:stream/consumers';

/** Requests a URL and parses the response as JSON. The request does not keep the process alive. */
export function getJson(url: string, signal: AbortSignal): Promise<unknown> {
  const { get } = url.startsWith('https:') ? https : http;
  return new Promise((resolve, reject) => {
    const request = get(url, { agent: false, signal }, (response) => {
      if (response.statusCode === 200) {
        json(response).then(resolve, reject);
      } else {
        response.resume();
        reject(new Error(`status ${response.statusCode}`));
      }
    });
    request.on('socket', (socket) => socket.unref());
    request.on('error', reject);
  });
}
