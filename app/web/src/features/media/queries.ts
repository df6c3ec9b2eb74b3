/** Media as the backend knows them. */
import { useQuery } from "@tanstack/react-query";
import { api } from "../../api/endpoints";
import { keys } from "../../api/keys";
import type { Media } from "../../api/types";

const PROBE_POLL_MS = 500;

const isSettled = (media: Media | undefined) => media?.status !== "probing";

/** One media, asked again until it is probed; `initial` is what is already known. */
export function useMedia(initial: Media) {
  return useQuery({
    queryKey: keys.media(initial.id),
    queryFn: ({ signal }) => api.media(initial.id, signal),
    initialData: initial,
    refetchInterval: (query) => (isSettled(query.state.data) ? false : PROBE_POLL_MS),
  }).data;
}

export function useReadyMedia() {
  const query = useQuery({ queryKey: keys.mediaList, queryFn: ({ signal }) => api.listMedia(signal) });
  return (query.data ?? []).filter((media) => media.status === "ready");
}

/** A presigned address to play the media from; null while it is not known. */
export function useMediaUrl(mediaId: string, isWanted: boolean): string | null {
  const query = useQuery({
    queryKey: keys.mediaUrl(mediaId),
    queryFn: ({ signal }) => api.mediaUrl(mediaId, signal),
    enabled: isWanted,
    staleTime: Number.POSITIVE_INFINITY,
    refetchOnWindowFocus: false,
  });
  return query.data?.url ?? null;
}
