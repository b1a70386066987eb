/** The size of all queues: equally large for all set-ups, so that nothing is dropped while a slice runs. */
export const QUEUE = 65_536;
