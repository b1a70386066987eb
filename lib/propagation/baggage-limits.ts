/** Entries that are read and written. W3C asks for 64 at the least, and had 180 before. */
const MAX_ENTRIES = 180;
/** Bytes that are read and written, of all entries together. */
const MAX_BYTES = 8192;

/** What there is still room for, in one message. An entry that does not fit is left out whole, and a smaller one may fit. */
export class BaggageRoom {
  #entries = 0;
  #bytes = 0;

  /** Whether no entry fits any more, however small. */
  get full(): boolean {
    return this.#entries >= MAX_ENTRIES || this.#bytes >= MAX_BYTES;
  }

  fits(bytes: number): boolean {
    return !this.full && this.#bytes + this.#separator + bytes <= MAX_BYTES;
  }

  /** Takes the room of an entry of this many bytes, if there is as much. */
  take(bytes: number): boolean {
    if (!this.fits(bytes)) return false;
    this.#bytes += this.#separator + bytes;
    this.#entries++;
    return true;
  }

  get #separator(): number {
    return this.#entries === 0 ? 0 : 1;
  }
}
