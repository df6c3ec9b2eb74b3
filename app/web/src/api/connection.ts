/**
 * Is the backend there? One failed call leads to a probe of /api/health; only when that fails too the state is
 * "offline", and probes go on until one succeeds. A page in view also probes when no call told anything for a while.
 */
import { httpUrl } from "./address";

export type Reachability = "online" | "offline";

const PROBE_DELAYS_MS = [1000, 2000, 5000];
const PROBE_TIMEOUT_MS = 5000;
const QUIET_MS = 15_000;

export class Connection {
  #state: Reachability = "online";
  #listeners = new Set<(state: Reachability) => void>();
  #isProbing = false;
  #lastAnswerAt = Date.now();
  readonly #probe: () => Promise<boolean>;
  readonly #wait: (ms: number) => Promise<void>;

  constructor(probe: () => Promise<boolean>, wait: (ms: number) => Promise<void>) {
    this.#probe = probe;
    this.#wait = wait;
  }

  state = (): Reachability => this.#state;

  subscribe = (listener: (state: Reachability) => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  reportAnswer(): void {
    this.#lastAnswerAt = Date.now();
    this.#set("online");
  }

  /** Probes until the backend answers; a second call meanwhile does nothing. */
  async reportSilence(): Promise<void> {
    if (this.#isProbing) return;
    this.#isProbing = true;
    for (let tries = 0; !(await this.#probe()); tries++) {
      this.#set("offline");
      await this.#wait(PROBE_DELAYS_MS[Math.min(tries, PROBE_DELAYS_MS.length - 1)] ?? 0);
    }
    this.#isProbing = false;
    this.reportAnswer();
  }

  /** Probes now and then while the page is in view; returns the way to stop. */
  watch(): () => void {
    const timer = setInterval(() => {
      const isQuiet = Date.now() - this.#lastAnswerAt >= QUIET_MS;
      if (document.visibilityState === "visible" && isQuiet) void this.reportSilence();
    }, QUIET_MS / 3);
    return () => clearInterval(timer);
  }

  #set(state: Reachability): void {
    if (state === this.#state) return;
    this.#state = state;
    for (const listener of this.#listeners) listener(state);
  }
}

async function isHealthy(): Promise<boolean> {
  try {
    const response = await fetch(httpUrl("/api/health"), { signal: AbortSignal.timeout(PROBE_TIMEOUT_MS) });
    return response.ok;
  } catch {
    return false;
  }
}

export const connection = new Connection(isHealthy, (ms) => new Promise((resolve) => setTimeout(resolve, ms)));
