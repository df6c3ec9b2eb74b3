/** Finished reels. A reel never changes; its address expires, and is asked for anew only then: a change stops playing. */
import { useQuery } from "@tanstack/react-query";
import { api } from "../../api/endpoints";
import { keys } from "../../api/keys";

export function useReels() {
  return useQuery({ queryKey: keys.reels, queryFn: ({ signal }) => api.listReels(signal) });
}

export function useReel(reelId: string) {
  return useQuery({
    queryKey: keys.reel(reelId),
    queryFn: ({ signal }) => api.reel(reelId, signal),
    staleTime: Number.POSITIVE_INFINITY,
  });
}

export function useReelDownload(reelId: string) {
  return useQuery({
    queryKey: keys.reelUrl(reelId),
    queryFn: ({ signal }) => api.reelDownload(reelId, signal),
    staleTime: Number.POSITIVE_INFINITY,
    refetchOnWindowFocus: false,
  });
}

export function useProjectNames(): Map<string, string> {
  const query = useQuery({ queryKey: keys.projects, queryFn: ({ signal }) => api.listProjects(signal) });
  return new Map((query.data ?? []).map(({ id, name }) => [id, name]));
}
