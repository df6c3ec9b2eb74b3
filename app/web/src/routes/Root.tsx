import { ConnectionBanner } from "../features/session/ConnectionBanner";
import { LibraryBanner } from "../features/session/LibraryBanner";
import { SignIn } from "../features/session/SignIn";
import { UserBadge } from "../features/session/UserBadge";
import { useUser } from "../features/session/useSession";
import { Home } from "./Home";
import { NotFound } from "./NotFound";

/** The frame of every page, and which page an address means. */
export function Root() {
  const user = useUser();
  return (
    <>
      <ConnectionBanner />
      <LibraryBanner />
      <header className="top">
        <a href="/" className="brand">
          <img src="/favicon.svg" alt="" width="28" height="28" /> Reel Ballers
        </a>
        {user !== null && <UserBadge user={user} />}
      </header>
      {window.location.pathname !== "/" ? <NotFound /> : user === null ? <SignIn /> : <Home key={user} />}
    </>
  );
}
