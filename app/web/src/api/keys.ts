/** The names under which answers are kept, and which of them an event makes old. */
import type { QueryClient } from "@tanstack/react-query";

export const keys = {
  me: (user: string) => ["me", user],
  mediaList: ["media-list"],
  media: (id: string) => ["media", id],
  mediaUrl: (id: string) => ["media", id, "url"],
  games: ["games"],
  projects: ["projects"],
  exports: ["exports"],
  reels: ["reels"],
  reel: (id: string) => ["reel", id],
  reelUrl: (id: string) => ["reel", id, "url"],
};

const refresh = (client: QueryClient, ...changed: string[][]) =>
  Promise.all(changed.map((queryKey) => client.invalidateQueries({ queryKey })));

export const onReelOrdered = (client: QueryClient) => refresh(client, keys.games, keys.projects);

export const onExportEnded = (client: QueryClient) => refresh(client, keys.exports, keys.reels);

/** Presigned addresses stay as they are: a new one would stop what plays. */
export const isRefreshed = ({ queryKey }: { queryKey: readonly unknown[] }) => queryKey.at(-1) !== "url";

/** After the backend was away, or another session was first. */
export const refreshAll = (client: QueryClient) => client.invalidateQueries({ predicate: isRefreshed });
