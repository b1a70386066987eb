import { callSafely } from '../core/diagnostics.js';
import { IncomingOperation } from '../core/incoming-operation.js';
import type { OperationNode } from './document.js';
import { readError, type ResultError } from './errors.js';
import { OperationTimer } from './metrics.js';
import {
  addBatchedOperation,
  describeOperation,
  failureType,
  recordErrors,
  type OperationNaming,
} from './served-operation.js';

/** The members of Apollo's request context that are read here. */
interface RequestContext {
  readonly operation?: OperationNode | undefined;
  readonly errors?: readonly ResultError[] | undefined;
  readonly requestIsBatched?: boolean;
}

interface RequestListener {
  didResolveOperation(request: RequestContext): Promise<void>;
  didEncounterErrors(request: RequestContext): Promise<void>;
  willSendResponse(): Promise<void>;
}

export interface ApolloPlugin {
  requestDidStart(request: RequestContext): Promise<RequestListener | void>;
}

/** Returns a plugin for Apollo's server. It has no hook that runs for each field. */
export function apolloPlugin(naming: OperationNaming): ApolloPlugin {
  return {
    async requestDidStart({ requestIsBatched }) {
      const incoming = IncomingOperation.active();
      if (!incoming?.isRecording && !(incoming && naming.meter)) return undefined;
      const timer = OperationTimer.start(naming);
      return {
        async didResolveOperation({ operation }) {
          if (!operation) return;
          timer?.name(operation);
          callSafely('A GraphQL operation', () => {
            if (requestIsBatched) addBatchedOperation(incoming, operation);
            else describeOperation(incoming, operation, naming);
          });
        },
        async didEncounterErrors({ errors }) {
          callSafely('The errors of a GraphQL operation', () => {
            const read = (errors ?? []).map((error) => readError(error));
            timer?.fail(failureType(read));
            recordErrors(incoming, read);
          });
        },
        async willSendResponse() {
          callSafely('Measuring a GraphQL operation', () => timer?.endIn(incoming));
        },
      };
    },
  };
}
