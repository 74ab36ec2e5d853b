// A map with an end: entries live for a while, and the oldest give way when there are too many.

export class Expiring<V> {
  readonly #entries = new Map<string, { value: V; until: number }>();

  constructor(
    readonly lifetime: number, // milliseconds
    readonly most: number,
  ) {}

  get(key: string): V | undefined {
    const entry = this.#entries.get(key);
    return entry && entry.until > Date.now() ? entry.value : undefined;
  }

  set(key: string, value: V): void {
    this.#entries.delete(key); // so that the order of the map is the order of age
    this.#entries.set(key, { value, until: Date.now() + this.lifetime });
    for (const [oldest, { until }] of this.#entries) {
      if (this.#entries.size <= this.most && until > Date.now()) break;
      this.#entries.delete(oldest);
    }
  }

  delete(key: string): void {
    this.#entries.delete(key);
  }
}
