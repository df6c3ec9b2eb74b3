import { useQuery } from "@tanstack/react-query";
import { useSyncExternalStore } from "react";
import { connection } from "../../api/connection";
import { api } from "../../api/endpoints";
import { identity } from "../../api/identity";
import { keys } from "../../api/keys";
import { library } from "../../api/library";

export function useUser(): string | null {
  return useSyncExternalStore(identity.subscribe, identity.user);
}

export function useMe(user: string) {
  return useQuery({ queryKey: keys.me(user), queryFn: ({ signal }) => api.me(signal), staleTime: 60_000 });
}

export function useReachability() {
  return useSyncExternalStore(connection.subscribe, connection.state);
}

export function useLibrary() {
  return useSyncExternalStore(library.subscribe, library.state);
}
