/** Spans that may wait, raised equally for all, so that nothing is dropped while a slice runs. */
export const QUEUE = 65_536;
