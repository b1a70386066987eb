import { testFaults } from './fault-suite.js';

testFaults('spans by grpc');
