import type { DataLibrary } from '../library.js';
import { clientsOfMongoose, isClient, isCollection, isDb, isMongooseConnection } from './driver.js';
import { instrumentClient, instrumentCollection, instrumentDb } from './instrument-driver.js';
import { subscribeMongoose } from './mongoose.js';

/** MongoDB: mongoose by its channels from 9.7 on, and the driver by its objects, which also serves older versions of mongoose. */
export const mongodbLibrary: DataLibrary = {
  name: 'mongodb',
  subscribe: subscribeMongoose,
  instances: [
    { name: 'mongoose connection', matches: isMongooseConnection, clientsOf: clientsOfMongoose },
    { name: 'MongoClient', matches: isClient, instrument: instrumentClient },
    { name: 'MongoDB database', isSoughtInProperties: true, matches: isDb, instrument: instrumentDb },
    { name: 'MongoDB collection', isSoughtInProperties: true, matches: isCollection, instrument: instrumentCollection },
  ],
};
