import { useQueryClient } from "@tanstack/react-query";
import { refreshAll } from "../../api/keys";
import { library } from "../../api/library";
import { Notice } from "../../ui/Notice";
import { StaleBanner } from "../../ui/StaleBanner";
import { useLibrary } from "./useSession";

/** Shown after a change that another session's came before, and while storage gives no answer. */
export function LibraryBanner() {
  const client = useQueryClient();
  const { isSessionStale, ageSeconds } = useLibrary();
  return (
    <>
      {isSessionStale && <StaleBanner onRefresh={() => library.refresh(() => refreshAll(client))} />}
      {ageSeconds !== null && (
        <Notice tone="warn">You see the state of {ageSeconds} s ago; storage is not answering.</Notice>
      )}
    </>
  );
}
