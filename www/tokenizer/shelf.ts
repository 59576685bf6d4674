// What was made and may be wanted again, for as long as there is room; what was wanted longest ago goes first.

/** In bytes: a few long texts, or any number of short ones. */
const ROOM = 256 * 1024 ** 2;

export class Shelf<Value> {
  private readonly size: (value: Value) => number;
  /** In the order in which they were wanted. */
  private readonly values = new Map<string, Value>();

  constructor(size: (value: Value) => number) {
    this.size = size;
  }

  get(key: string): Value | undefined {
    const value = this.values.get(key);
    if (value === undefined) return undefined;
    this.values.delete(key);
    this.values.set(key, value);
    return value;
  }

  /** The newest stays even where it alone has no room. */
  put(key: string, value: Value): void {
    this.values.delete(key);
    this.values.set(key, value);
    let room = ROOM - this.size(value);
    for (const [older, value] of [...this.values].reverse().slice(1)) {
      room -= this.size(value);
      if (room < 0) this.values.delete(older);
    }
  }
}
