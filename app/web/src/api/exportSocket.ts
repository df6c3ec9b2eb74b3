/**
 * Follows one export on its WebSocket until it ends: reconnects with backoff, at once when the backend is back, and
 * asks by HTTP while no socket holds.
 * A lost socket is a matter of the connection, never of the export: the job's own state comes only from the backend.
 */
import { socketUrl } from "./address";
import { connection } from "./connection";
import { api } from "./endpoints";
import { identity } from "./identity";
import { Problem } from "./problem";
import { backoffMs } from "./retry";
import type { ExportJob, ExportMessage } from "./types";

const BACKOFF = { baseMs: 500, maxMs: 8000 };
const SILENCE_MS = 45_000;
/** Close codes by which the backend refuses for good, such as 4404 for an unknown export. */
const REFUSED = { first: 4400, last: 4499 };

export type SocketState = "connecting" | "live" | "lost";

export interface ExportListener {
  onJob: (job: ExportJob) => void;
  onSocket: (state: SocketState) => void;
  /** The backend will not tell more, and why. */
  onRefused: (reason: string) => void;
}

export function isFinal(job: ExportJob): boolean {
  return job.status === "complete" || job.status === "failed" || job.status === "cancelled";
}

/** Starts following; the returned function stops it. */
export function followExport(exportId: string, listener: ExportListener): () => void {
  const abort = new AbortController();
  let socket: WebSocket | null = null;
  let reconnect: ReturnType<typeof setTimeout>;
  let silence: ReturnType<typeof setTimeout>;
  let failures = 0;

  const stop = () => {
    abort.abort();
    unsubscribe();
    clearTimeout(reconnect);
    clearTimeout(silence);
    socket?.close();
  };
  const take = (job: ExportJob) => {
    if (abort.signal.aborted) return;
    listener.onJob(job);
    if (isFinal(job)) stop();
  };
  const giveUp = (reason: string) => {
    stop();
    listener.onRefused(reason);
  };
  const poll = async () => {
    try {
      take(await api.exportJob(exportId, abort.signal));
    } catch (error) {
      // Anything else shows in the connection banner, and the next reconnect asks again.
      const isRefused = error instanceof Problem && [401, 403, 404].includes(error.status);
      if (isRefused && !abort.signal.aborted) giveUp(error.message);
    }
  };
  const heard = () => {
    clearTimeout(silence);
    silence = setTimeout(() => socket?.close(), SILENCE_MS);
  };
  const open = () => {
    socket = new WebSocket(
      socketUrl(`/ws/export/${encodeURIComponent(exportId)}?user=${encodeURIComponent(identity.user() ?? "")}`),
    );
    heard();
    socket.onmessage = (event) => {
      heard();
      failures = 0;
      listener.onSocket("live");
      const message = JSON.parse(String(event.data)) as ExportMessage;
      if (message.export) take(message.export);
    };
    socket.onclose = (event) => {
      clearTimeout(silence);
      if (abort.signal.aborted) return;
      if (event.code >= REFUSED.first && event.code <= REFUSED.last) return giveUp(event.reason);
      failures += 1;
      listener.onSocket("lost");
      reconnect = setTimeout(open, backoffMs(failures, BACKOFF));
      void poll();
    };
  };

  const unsubscribe = connection.subscribe((state) => {
    if (state !== "online" || socket?.readyState !== WebSocket.CLOSED) return;
    clearTimeout(reconnect);
    open();
  });
  listener.onSocket("connecting");
  open();
  return stop;
}
