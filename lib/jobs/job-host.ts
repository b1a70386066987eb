/** A kind of object that runs jobs, such as the queues of Bull, or the provider of a package that registers jobs. */
export interface JobHost {
  /** The name that diagnostics show, such as `Bull queue`. */
  readonly name: string;
  /** True if an object is of this kind. It must not call code of the application: neither getters nor methods. */
  matches(candidate: object): boolean;
  /** Instruments an object. Returns a function that undoes it. */
  instrument(instance: object): () => void;
}
