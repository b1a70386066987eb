/** The commands of MongoDB that the methods of the driver send. */
type Commands = Readonly<Record<string, string>>;

/** Those of a collection that return a promise. */
export const COLLECTION_COMMANDS: Commands = {
  insertOne: 'insert',
  insertMany: 'insert',
  bulkWrite: 'bulkWrite',
  updateOne: 'update',
  updateMany: 'update',
  replaceOne: 'update',
  deleteOne: 'delete',
  deleteMany: 'delete',
  findOneAndDelete: 'findAndModify',
  findOneAndReplace: 'findAndModify',
  findOneAndUpdate: 'findAndModify',
  count: 'count',
  countDocuments: 'aggregate',
  estimatedDocumentCount: 'count',
  distinct: 'distinct',
  createIndex: 'createIndexes',
  createIndexes: 'createIndexes',
  dropIndex: 'dropIndexes',
  dropIndexes: 'dropIndexes',
  createSearchIndexes: 'createSearchIndexes',
  dropSearchIndex: 'dropSearchIndex',
  updateSearchIndex: 'updateSearchIndex',
  drop: 'drop',
  rename: 'renameCollection',
};

/** Those of a collection that return a cursor, which sends them when it is read. */
export const COLLECTION_CURSORS: Commands = {
  find: 'find',
  aggregate: 'aggregate',
  listIndexes: 'listIndexes',
  listSearchIndexes: 'aggregate',
};

/** The methods that return a promise of a collection. */
export const RETURN_COLLECTION: ReadonlySet<string> = new Set(['createCollection', 'rename', 'renameCollection']);

/** The commands that name a collection, as in `{ find: 'cats' }`. */
export const COMMANDS_OF_COLLECTIONS: ReadonlySet<string> = new Set([
  ...Object.values(COLLECTION_COMMANDS).filter((command) => command !== 'bulkWrite' && command !== 'renameCollection'),
  ...Object.values(COLLECTION_CURSORS),
  'collMod',
  'collStats',
  'create',
  'listIndexes',
  'validate',
]);

/** The methods of a collection that return a list of operations, which it sends when it is executed. */
export const COLLECTION_BULKS = ['initializeOrderedBulkOp', 'initializeUnorderedBulkOp'] as const;

/** Those of a database that return a promise. */
export const DB_COMMANDS: Commands = {
  createCollection: 'create',
  createIndex: 'createIndexes',
  dropCollection: 'drop',
  dropDatabase: 'dropDatabase',
  profilingLevel: 'profile',
  removeUser: 'dropUser',
  renameCollection: 'renameCollection',
  setProfilingLevel: 'profile',
  stats: 'dbStats',
};

/** Those of a database that return a cursor. */
export const DB_CURSORS: Commands = { aggregate: 'aggregate', listCollections: 'listCollections' };

/** Those of the administration of a server. The others are calls of `command()`. */
export const ADMIN_COMMANDS: Commands = {
  listDatabases: 'listDatabases',
  removeUser: 'dropUser',
  validateCollection: 'validate',
};

export const CLIENT_COMMANDS: Commands = { bulkWrite: 'bulkWrite' };

export const SESSION_COMMANDS: Commands = {
  commitTransaction: 'commitTransaction',
  abortTransaction: 'abortTransaction',
};
