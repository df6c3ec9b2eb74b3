/** The content security policy of the built site: only the API it was built for, and object storage, can be reached. */

const R2 = "https://*.r2.cloudflarestorage.com";
const LOOPBACK = "http://127.0.0.1:* http://localhost:*";

export interface Origins {
  /** Origin of the API, "" when it is the site's own. */
  api: string;
  /** Origins of presigned URLs, separated by spaces; "" takes R2, or any loopback port beside a loopback API. */
  storage: string;
}

/** The policy as one header value; throws on an API address that is not an absolute http(s) URL. */
export function contentSecurityPolicy({ api, storage }: Origins): string {
  const apiUrl = api === "" ? null : new URL(api);
  const isLoopback = apiUrl !== null && ["127.0.0.1", "localhost"].includes(apiUrl.hostname);
  const media = storage || (isLoopback ? LOOPBACK : R2);
  const backend = apiUrl === null ? [] : [apiUrl.origin, apiUrl.origin.replace(/^http/, "ws")];
  return [
    "default-src 'self'",
    `connect-src ${["'self'", ...backend, media].join(" ")}`,
    `media-src 'self' blob: ${media}`,
    "img-src 'self' data:",
    "base-uri 'none'",
    "form-action 'self'",
    "frame-ancestors 'none'",
    "object-src 'none'",
  ].join("; ");
}
