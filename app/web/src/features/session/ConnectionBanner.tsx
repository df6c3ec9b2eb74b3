import { Banner } from "../../ui/Banner";
import { useReachability } from "./useSession";

/** Shown while the backend gives no answer; goes away by itself once it does. */
export function ConnectionBanner() {
  if (useReachability() === "online") return null;
  return (
    <Banner tone="warn" testId="connection-banner">
      <strong>The server can't be reached.</strong> Trying again by itself; what runs in the cloud goes on.
    </Banner>
  );
}
