export function NotFound() {
  return (
    <main className="sign-in">
      <h1>No such page</h1>
      <p>
        There is nothing at <code>{window.location.pathname}</code>. <a href="/">Go to your reels</a>
      </p>
    </main>
  );
}
