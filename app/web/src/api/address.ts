/** Addresses of the API. Its origin is set once, from the configuration, before anything calls. */

let origin: string | null = null;

/** `apiUrl` is an origin, or "" for the page's own. */
export function setApiUrl(apiUrl: string): void {
  origin = apiUrl;
}

export function httpUrl(path: string): string {
  if (origin === null) throw new Error("The API's address is not known yet: load the configuration first.");
  return `${origin}${path}`;
}

export function socketUrl(path: string): string {
  const url = new URL(httpUrl(path), window.location.href);
  url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
  return url.href;
}
