import { Banner } from "./Banner";
import { Button } from "./Button";

/** Shown when something was changed elsewhere first; refreshing takes that over and goes on. */
export function StaleBanner({ onRefresh }: { onRefresh: () => void }) {
  return (
    <Banner tone="info" testId="stale-banner" actions={<Button onClick={onRefresh}>Refresh</Button>}>
      <strong>Session stale.</strong> This was changed on another device or tab. Refresh to take that over and go on.
    </Banner>
  );
}
