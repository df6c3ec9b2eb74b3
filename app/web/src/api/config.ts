/**
 * What differs between the deployments of one built page: `/config.json`, written beside it when it is deployed.
 * There are no defaults: a page without its configuration says so instead of calling some other API.
 */
import { type RetryPolicy, retrying } from "./retry";

const PATH = "/config.json";
const POLICY: RetryPolicy = { attempts: 3, baseMs: 300, maxMs: 2000 };
const TIMEOUT_MS = 10_000;

export interface Config {
  /** Origin of the API; "" is the page's own. */
  apiUrl: string;
}

/** The configuration is missing or wrong; the message says what was found. */
export class ConfigError extends Error {
  /** May it be there in a moment? */
  readonly isTransient: boolean;

  constructor(message: string, { isTransient = false, cause }: { isTransient?: boolean; cause?: unknown } = {}) {
    super(`${PATH} ${message}`, { cause });
    this.name = "ConfigError";
    this.isTransient = isTransient;
  }
}

/** Throws ConfigError. */
export function loadConfig(policy: RetryPolicy = POLICY): Promise<Config> {
  return retrying(readConfig, policy, (error) => error instanceof ConfigError && error.isTransient);
}

async function readConfig(): Promise<Config> {
  let response: Response;
  let text: string;
  try {
    response = await fetch(PATH, { cache: "no-store", signal: AbortSignal.timeout(TIMEOUT_MS) });
    text = await response.text();
  } catch (cause) {
    throw new ConfigError("can't be reached.", { isTransient: true, cause });
  }
  if (!response.ok) {
    throw new ConfigError(`is answered with status ${response.status}.`, { isTransient: response.status >= 500 });
  }
  return parseConfig(text);
}

/** Throws ConfigError. */
export function parseConfig(text: string): Config {
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch (cause) {
    // Pages answers an unknown path with index.html, so this is what a missing file looks like.
    throw new ConfigError("is missing: what is served there is not JSON.", { cause });
  }
  const apiUrl =
    typeof document === "object" && document !== null && "apiUrl" in document ? document.apiUrl : undefined;
  if (typeof apiUrl !== "string") throw new ConfigError('has no text under "apiUrl".');
  if (apiUrl !== "" && !isOrigin(apiUrl)) {
    throw new ConfigError(
      `has "apiUrl": ${JSON.stringify(apiUrl)}, which is no origin such as https://api.example.com.`,
    );
  }
  return { apiUrl };
}

function isOrigin(text: string): boolean {
  const url = URL.canParse(text) ? new URL(text) : null;
  return url !== null && ["http:", "https:"].includes(url.protocol) && url.origin === text;
}
