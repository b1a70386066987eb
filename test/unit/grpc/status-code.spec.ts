import { describe, expect, it } from '@jest/globals';
import { status } from '@grpc/grpc-js';
import { isErrorCode, statusName } from '../../../lib/grpc/status-code.js';

const codes = Object.entries(status).filter((entry): entry is [string, number] => typeof entry[1] === 'number');
const servers = new Set(['UNKNOWN', 'DEADLINE_EXCEEDED', 'UNIMPLEMENTED', 'INTERNAL', 'UNAVAILABLE', 'DATA_LOSS']);

describe('a status code', () => {
  it.each(codes)('%s has its name', (name, code) => {
    expect(statusName(code)).toBe(name);
  });

  it.each([17, -1, 1.5])('that gRPC does not define keeps its number: %d', (code) => {
    expect(statusName(code)).toBe(String(code));
    expect([isErrorCode(code, 'server'), isErrorCode(code, 'client')]).toEqual([false, true]);
  });

  it.each(codes)('%s is an error of the server only where that is to blame', (name, code) => {
    expect(isErrorCode(code, 'server')).toBe(servers.has(name));
  });

  it.each(codes)('%s is an error of the client unless it is OK', (name, code) => {
    expect(isErrorCode(code, 'client')).toBe(name !== 'OK');
  });
});
