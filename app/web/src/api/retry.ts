/** Waiting and trying again: exponential delays with jitter, ended by an AbortSignal. */

export interface RetryPolicy {
  attempts: number;
  baseMs: number;
  maxMs: number;
}

/** Delay before try `attempt` (1 is the first retry), between half and the whole of the exponential step. */
export function backoffMs(attempt: number, { baseMs, maxMs }: Omit<RetryPolicy, "attempts">): number {
  const step = Math.min(maxMs, baseMs * 2 ** (attempt - 1));
  return step / 2 + (Math.random() * step) / 2;
}

/** Resolves after `ms`; rejects with the signal's reason as soon as it aborts. */
export function sleep(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const stop = () => {
      clearTimeout(timer);
      reject(signal?.reason);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener("abort", stop);
      resolve();
    }, ms);
    if (signal?.aborted) stop();
    else signal?.addEventListener("abort", stop, { once: true });
  });
}

/** Runs `task` until it succeeds, fails for good, or has used its attempts; then throws the last error. */
export async function retrying<T>(
  task: () => Promise<T>,
  policy: RetryPolicy,
  isTransient: (error: unknown) => boolean,
  signal?: AbortSignal,
): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await task();
    } catch (error) {
      if (signal?.aborted || attempt >= policy.attempts || !isTransient(error)) throw error;
      await sleep(backoffMs(attempt, policy), signal);
    }
  }
}
