/** The maximal number of entries in a message. W3C requires 64 at least, and required 180 before. */
const MAX_ENTRIES = 180;
/** The maximal bytes of all entries in a message. */
const MAX_BYTES = 8192;

/** The room for entries in one message. An entry that does not fit is left out, and a smaller one after it may fit. */
export class BaggageRoom {
  #entries = 0;
  #bytes = 0;

  /** True if no entry fits, however small it is. */
  get isFull(): boolean {
    return this.#entries >= MAX_ENTRIES || this.#bytes >= MAX_BYTES;
  }

  fits(bytes: number): boolean {
    return !this.isFull && this.#bytes + this.#separatorBytes + bytes <= MAX_BYTES;
  }

  /** Takes the room of an entry. Returns false if the entry does not fit. */
  take(bytes: number): boolean {
    if (!this.fits(bytes)) return false;
    this.#bytes += this.#separatorBytes + bytes;
    this.#entries++;
    return true;
  }

  get #separatorBytes(): number {
    return this.#entries === 0 ? 0 : 1;
  }
}
