/** The mark that the functions of OpenTelemetry's instrumentations have. */
const MARK = '__wrapped';

/** True if another instrumentation has put its own function in front of a method of a driver. */
export function isWrappedElsewhere(method: object): boolean {
  return Reflect.get(method, MARK) === true;
}
