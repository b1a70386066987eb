import { testFaults } from './fault-suite.js';

testFaults('spans for a collector of Jaeger');
