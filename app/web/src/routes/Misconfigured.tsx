import { Button } from "../ui/Button";
import { Notice } from "../ui/Notice";

/** In place of the page, when it does not know which API it belongs to. */
export function Misconfigured({ reason }: { reason: string }) {
  const reload = () => window.location.reload();
  return (
    <main className="sign-in">
      <h1>Reel Ballers can't start</h1>
      <Notice tone="danger" actions={<Button onClick={reload}>Try again</Button>}>
        Its configuration can't be read. {reason}
      </Notice>
    </main>
  );
}
