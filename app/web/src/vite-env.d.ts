/// <reference types="vite/client" />

interface ImportMetaEnv {
  /** Origin of the API; "" is the site's own origin. */
  readonly VITE_API_URL?: string;
}
