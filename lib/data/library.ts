import type { DataLibraryName } from '../options/data.js';
import type { PoolState } from './pool-gauges.js';
import type { CurrentSettings } from './query-settings.js';

/**
 * A library that talks to a database, a cache or a queue. It is never imported: it announces its queries on channels, or its objects are
 * recognized by their members.
 */
export interface DataLibrary {
  /** The name of its option. */
  readonly name: DataLibraryName;
  /** Subscribes to its diagnostics channels. Returns a function that ends the subscriptions. */
  subscribe?(settings: CurrentSettings): () => void;
  /** The kinds of its objects that an application may have in dependency injection. */
  readonly instances?: readonly InstanceKind[];
}

/** A kind of object of a library, such as a pool. */
export interface InstanceKind {
  /** The name that diagnostics show, such as `pg.Pool`. */
  readonly name: string;
  /** True if a provider often has such an object as a property, as with the workers of a queue. @default false */
  readonly isSoughtInProperties?: boolean;
  /** True if an object is of this kind. It must not call code of the application: neither getters nor methods. */
  matches(candidate: object): boolean;
  /**
   * Instruments an object. Returns a function that undoes it. A kind without this method is only shown, because the channels of its library
   * cover it.
   */
  instrument?(instance: object, settings: CurrentSettings): () => void;
  /** Returns the clients of other libraries that an object uses, such as the pool of an ORM. They are instrumented with it. */
  clientsOf?(instance: object): readonly unknown[];
  /** The methods in which an object that is instrumented creates its clients, possibly once more. @default none */
  readonly connectMethods?: readonly string[];
  /** Returns the connections of a pool, whenever metrics are collected. Undefined if they are not known. */
  readPool?(instance: object): PoolState | undefined;
}
