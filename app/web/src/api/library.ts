/**
 * The user's library as this page has seen it: the newest version that an answer told, whether another session was
 * first, and whether storage stands behind what is shown. Each page, from its load on, is a session of its own.
 */

export interface LibraryState {
  /** A change was refused because another session's came first; until a refresh has brought that change. */
  isSessionStale: boolean;
  /** How old what is shown was when it came without storage's word for it; null when storage answered. */
  ageSeconds: number | null;
}

export class Library {
  readonly #session = crypto.randomUUID();
  #seen: number | null = null;
  #current = 0;
  #state: LibraryState = { isSessionStale: false, ageSeconds: null };
  #listeners = new Set<() => void>();

  state = (): LibraryState => this.#state;

  subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  /** What every call says: by these the backend judges whether a change comes too late. */
  headers(): Record<string, string> {
    const seen: Record<string, string> = this.#seen === null ? {} : { "X-Library-Version": String(this.#seen) };
    return { "X-Session-ID": this.#session, ...seen };
  }

  /** Of a call that the backend carried out; what it refused is no look at the library. */
  reportAnswer(headers: Headers): void {
    const status = headers.get("X-Sync-Status");
    if (status === null) return;
    const version = headers.get("X-Library-Version");
    if (version !== null) this.#seen = Math.max(this.#seen ?? 0, Number(version));
    this.#change({ ageSeconds: status === "stale" ? Number(headers.get("Age") ?? 0) : null });
  }

  reportStaleSession(currentVersion: number): void {
    this.#current = currentVersion;
    this.#change({ isSessionStale: true });
  }

  /** Lets `refetch` read everything; the session is stale no more once that has brought the current version. */
  async refresh(refetch: () => Promise<void>): Promise<void> {
    await refetch();
    if ((this.#seen ?? 0) >= this.#current) this.#change({ isSessionStale: false });
  }

  /** Another user's library comes next. */
  forget(): void {
    this.#seen = null;
    this.#change({ isSessionStale: false, ageSeconds: null });
  }

  #change(change: Partial<LibraryState>): void {
    const next = { ...this.#state, ...change };
    if (next.isSessionStale === this.#state.isSessionStale && next.ageSeconds === this.#state.ageSeconds) return;
    this.#state = next;
    for (const listener of this.#listeners) listener();
  }
}

export const library = new Library();
