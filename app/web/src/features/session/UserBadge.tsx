import { identity } from "../../api/identity";
import { describe, Problem } from "../../api/problem";
import { Button } from "../../ui/Button";
import { useMe } from "./useSession";

/** Who is signed in, as the API sees it. */
export function UserBadge({ user }: { user: string }) {
  const me = useMe(user);
  const isRefused = me.error instanceof Problem;
  return (
    <div className="user-badge">
      {me.data && (
        <span>
          <span className="muted">Signed in as </span>
          <strong data-testid="user">{me.data.user_id}</strong>
          <span className="tag">{me.data.environment}</span>
        </span>
      )}
      {isRefused && (
        <span role="alert" className="danger">
          {describe(me.error)}
        </span>
      )}
      <Button variant="quiet" onClick={identity.signOut}>
        Sign out
      </Button>
    </div>
  );
}
