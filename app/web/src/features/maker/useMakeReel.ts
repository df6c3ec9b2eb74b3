import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useRef, useState } from "react";
import { api } from "../../api/endpoints";
import { keys, onReelOrdered } from "../../api/keys";
import { isStale } from "../../api/problem";
import type { ExportJob, Game } from "../../api/types";
import { type Made, makeReel, nothingMade, type ReelOrder, refreshMade, type Step } from "./makeReel";

export interface MakeState {
  step: Step | null;
  error: unknown;
}

/** The game that holds this media, once one was made. */
export function useGameOf(mediaId: string): Game | null {
  const query = useQuery({ queryKey: keys.games, queryFn: ({ signal }) => api.listGames(signal) });
  return query.data?.find((game) => game.media_ids.includes(mediaId)) ?? null;
}

/** Runs one order at a time; after a failure `retry` goes on, after a conflict `refresh` does. */
export function useMakeReel(onStarted: (job: ExportJob) => void) {
  const client = useQueryClient();
  const current = useRef<{ order: ReelOrder; made: Made } | null>(null);
  const [state, setState] = useState<MakeState>({ step: null, error: null });

  const run = async (prepare?: (made: Made) => Promise<void>) => {
    if (current.current === null) return;
    const { order, made } = current.current;
    try {
      await prepare?.(made);
      const job = await makeReel(api, order, made, (step) => setState({ step, error: null }));
      setState({ step: null, error: null });
      await onReelOrdered(client);
      onStarted(job);
    } catch (error) {
      setState({ step: null, error });
    }
  };

  return {
    ...state,
    isStale: isStale(state.error),
    start(order: ReelOrder) {
      current.current = { order, made: nothingMade() };
      return run();
    },
    retry: () => run(),
    refresh: () => run((made) => refreshMade(api, made)),
  };
}
