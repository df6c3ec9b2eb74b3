/** Exports as the page follows them: which ones, and one of them live. */
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { api } from "../../api/endpoints";
import { followExport, isFinal, type SocketState } from "../../api/exportSocket";
import { keys, onExportEnded } from "../../api/keys";
import type { ExportJob } from "../../api/types";
import { mergeExport } from "./progress";

/** Exports to show: those started here, and those found running, also from another device; each stays once seen. */
export function useFollowedExports() {
  const { data } = useQuery({ queryKey: keys.exports, queryFn: ({ signal }) => api.listExports(signal) });
  const [followed, setFollowed] = useState<ExportJob[]>([]);
  useEffect(() => {
    for (const job of data ?? []) if (!isFinal(job)) setFollowed((known) => withJob(known, job));
  }, [data]);
  return { exports: followed, follow: (job: ExportJob) => setFollowed((known) => withJob(known, job)) };
}

function withJob(known: ExportJob[], job: ExportJob): ExportJob[] {
  return known.some(({ id }) => id === job.id) ? known : [job, ...known];
}

export interface LiveExport {
  job: ExportJob;
  socket: SocketState;
  /** Why the backend tells nothing about this export; null as long as it does. */
  refusal: string | null;
  error: unknown;
  cancel: () => Promise<void>;
  retry: () => Promise<void>;
}

/** Follows one export from `initial` to its end, and once more after a retry. */
export function useLiveExport(initial: ExportJob): LiveExport {
  const client = useQueryClient();
  const [job, setJob] = useState(initial);
  const [socket, setSocket] = useState<SocketState>("connecting");
  const [refusal, setRefusal] = useState<string | null>(null);
  const [error, setError] = useState<unknown>(null);
  const isDone = isFinal(job);

  useEffect(() => {
    if (isDone) {
      void onExportEnded(client);
      return;
    }
    return followExport(job.id, {
      onJob: (next) => setJob((known) => mergeExport(known, next)),
      onSocket: setSocket,
      onRefused: setRefusal,
    });
  }, [client, job.id, isDone]);

  const act = async (call: (id: string) => Promise<ExportJob>) => {
    setError(null);
    try {
      const next = await call(job.id);
      setJob((known) => (next.id === known.id ? mergeExport(known, next) : next));
    } catch (failure) {
      setError(failure);
    }
  };
  return {
    job,
    socket,
    refusal,
    error,
    cancel: () => act(api.cancelExport),
    retry: () => act(api.retryExport),
  };
}
