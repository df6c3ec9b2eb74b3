/** Addresses of the API: `VITE_API_URL` at build time, or the origin of the site. */

const BASE = (import.meta.env.VITE_API_URL ?? "").replace(/\/$/, "");

export function httpUrl(path: string): string {
  return `${BASE}${path}`;
}

export function socketUrl(path: string): string {
  const url = new URL(httpUrl(path), window.location.href);
  url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
  return url.href;
}
