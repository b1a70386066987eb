/** The preload of an application that has not migrated yet. */
declare const otelSDK: { start(): Promise<void> };
export default otelSDK;
