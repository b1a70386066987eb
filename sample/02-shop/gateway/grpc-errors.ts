import { status, type ServiceError } from '@grpc/grpc-js';
import { HttpException, HttpStatus } from '@nestjs/common';

const httpStatusOf: Partial<Record<status, HttpStatus>> = {
  [status.INVALID_ARGUMENT]: HttpStatus.BAD_REQUEST,
  [status.NOT_FOUND]: HttpStatus.NOT_FOUND,
  [status.FAILED_PRECONDITION]: HttpStatus.PAYMENT_REQUIRED,
  [status.RESOURCE_EXHAUSTED]: HttpStatus.CONFLICT,
};

/** Throws the HTTP exception that fits a failed call. Errors of the shop itself become 502 Bad Gateway. */
export function throwHttpException(cause: ServiceError): never {
  throw new HttpException(cause.details, httpStatusOf[cause.code] ?? HttpStatus.BAD_GATEWAY, { cause });
}
