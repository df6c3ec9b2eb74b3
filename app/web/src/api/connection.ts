/**
 * Is the backend there? Nothing asks while all is well, so that a machine that scales to zero may sleep. One failed call
 * leads to a probe of /api/health; only when that fails too the state is "offline". Probes go on with growing pauses,
 * only while the page is in view, until one of them or any other call is answered.
 */
import { httpUrl } from "./address";
import { backoffMs, sleep } from "./retry";
import { inView } from "./visibility";

export type Reachability = "online" | "offline";

/** What the world does for a Connection. */
export interface Surroundings {
  /** Whether the backend answers that it is healthy. */
  probe: () => Promise<boolean>;
  wait: (ms: number) => Promise<void>;
  /** Resolves once the page is in view. */
  inView: () => Promise<void>;
}

const BACKOFF = { baseMs: 1000, maxMs: 15_000 };
const PROBE_TIMEOUT_MS = 5000;

export class Connection {
  #state: Reachability = "online";
  #listeners = new Set<(state: Reachability) => void>();
  #isProbing = false;
  readonly #surroundings: Surroundings;

  constructor(surroundings: Surroundings) {
    this.#surroundings = surroundings;
  }

  state = (): Reachability => this.#state;

  subscribe = (listener: (state: Reachability) => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  reportAnswer(): void {
    this.#set("online");
  }

  /** Probes until the backend answers; a second call meanwhile does nothing. */
  async reportSilence(): Promise<void> {
    if (this.#isProbing) return;
    this.#isProbing = true;
    try {
      await this.#probeUntilAnswered();
    } finally {
      this.#isProbing = false;
    }
  }

  async #probeUntilAnswered(): Promise<void> {
    const { probe, wait, inView } = this.#surroundings;
    await inView();
    for (let tries = 1; !(await probe()); tries++) {
      this.#set("offline");
      await wait(backoffMs(tries, BACKOFF));
      await inView();
      if (this.#state === "online") return;
    }
    this.reportAnswer();
  }

  #set(state: Reachability): void {
    if (state === this.#state) return;
    this.#state = state;
    for (const listener of this.#listeners) listener(state);
  }
}

async function probe(): Promise<boolean> {
  try {
    const response = await fetch(httpUrl("/api/health"), { signal: AbortSignal.timeout(PROBE_TIMEOUT_MS) });
    return response.ok;
  } catch {
    return false;
  }
}

export const connection = new Connection({ probe, wait: sleep, inView });
