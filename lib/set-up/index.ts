export { migrate } from './migrate.js';
export { nestAdd } from './nest-add.js';
