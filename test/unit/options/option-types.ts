/**
 * Types that the compiler must accept and types that it must refuse. `npm run types` compiles this file. If an expected error
 * does not occur, that is an error as well.
 */
import { checkKeys } from '../../../lib/options/check-keys.js';

interface FileOptions {
  type: 'file';
  path?: string;
}

interface SocketOptions {
  type: 'socket';
  port?: number;
}

export const complete = checkKeys<FileOptions>('file', {}, { type: true, path: true });

// @ts-expect-error An option that the type documents would be refused at the start.
export const forgotten = checkKeys<FileOptions>('file', {}, { type: true });

// @ts-expect-error An option that the type does not have would be accepted without any effect.
export const invented = checkKeys<FileOptions>('file', {}, { type: true, path: true, mode: true });

// @ts-expect-error An option without a default is forgotten as easily as one that has one.
export const required = checkKeys<FileOptions>('file', {}, { path: true });

type EitherOptions = FileOptions | SocketOptions;

export const completeUnion = checkKeys<EitherOptions>('either', {}, { type: true, path: true, port: true });

// @ts-expect-error An option of only one form of a group is an option of the group.
export const forgottenOfOneForm = checkKeys<EitherOptions>('either', {}, { type: true, path: true });
