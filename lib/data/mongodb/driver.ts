/** The members of the objects of `mongodb` that are used here. The package itself is never imported. */
import { hasMembers } from '../../core/has-members.js';
import { isObject } from '../../core/is-object.js';
import type { DatabaseTarget } from '../database-query.js';
import { mongodb } from './system.js';

export interface MongoClient {
  readonly options?: {
    readonly hosts?: readonly { readonly host?: string; readonly port?: number; readonly socketPath?: string }[];
    readonly srvHost?: string;
  };
}

export interface Db {
  readonly client?: MongoClient;
  readonly databaseName: string;
}

export interface Collection {
  readonly client?: MongoClient;
  readonly dbName: string;
  readonly collectionName: string;
}

/** A connection of mongoose. */
export interface MongooseConnection {
  getClient(): unknown;
  readonly db?: unknown;
  /** The collections of mongoose, each of which has one of the driver. */
  readonly collections?: Readonly<Record<string, { readonly collection?: unknown }>>;
}

export function isClient(candidate: object): boolean {
  return (
    hasMembers(candidate, ['db', 'startSession', 'withSession', 'watch', 'options']) && !('getClient' in candidate)
  );
}

export function isDb(candidate: object): boolean {
  return hasMembers(candidate, ['databaseName', 'collection', 'command', 'admin', 'listCollections']);
}

export function isCollection(candidate: object): boolean {
  return hasMembers(candidate, ['dbName', 'collectionName', 'insertOne', 'find', 'aggregate', 'indexes']);
}

export function isMongooseConnection(candidate: object): boolean {
  return hasMembers(candidate, ['getClient', 'collections', 'models', 'startSession', 'readyState']);
}

/** Returns the objects of the driver that a connection of mongoose has made. */
export function clientsOfMongoose(connection: MongooseConnection): readonly unknown[] {
  const collections = Object.values(connection.collections ?? {}).map(({ collection }) => collection);
  return [connection.getClient(), connection.db, ...collections].filter(isObject);
}

/** Returns the database. Its server is the first one of the connection string: the driver chooses one for each command. */
export function targetOf(client: MongoClient | undefined, namespace?: string): DatabaseTarget {
  const { hosts, srvHost } = client?.options ?? {};
  const { host, port, socketPath } = hosts?.[0] ?? {};
  return { system: mongodb, namespace, address: srvHost ?? host ?? socketPath, port: srvHost ? undefined : port };
}
