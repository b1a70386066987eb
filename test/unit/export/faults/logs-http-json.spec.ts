import { testFaults } from './fault-suite.js';

testFaults('log records by http/json');
