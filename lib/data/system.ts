import type { SqlDialect } from './sql/dialect.js';

/** A kind of database, by the semantic conventions for databases. */
export interface DatabaseSystem {
  /** The value of `db.system.name`. */
  readonly name: string;
  /** The rules by which the text of a query is read. Undefined for a system without SQL, whose text is never recorded. */
  readonly dialect: SqlDialect | undefined;
  /** The port that is not recorded. Undefined for a database without a server. */
  readonly defaultPort: number | undefined;
  /** Returns the code of the database in an error. Undefined for an error that is not the database's. */
  readonly statusCodeOf: (error: object) => string | undefined;
}
