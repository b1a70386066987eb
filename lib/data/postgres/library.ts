import type { DataLibrary } from '../library.js';

export const postgresLibrary: DataLibrary = { name: 'postgres' };
