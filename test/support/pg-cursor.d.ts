declare module 'pg-cursor' {
  import type { Connection, Submittable } from 'pg';

  /** The members that the tests use. The package has no types of its own. */
  export default class Cursor implements Submittable {
    constructor(text: string, values?: unknown[]);
    submit(connection: Connection): void;
    read(count: number): Promise<unknown[]>;
    read(count: number, callback: (error: unknown, rows: unknown[]) => void): void;
    close(): Promise<void>;
    close(callback: () => void): void;
  }
}
