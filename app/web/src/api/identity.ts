/** Who is signed in. Until accounts exist the user id is chosen by hand and kept in this browser. */

const KEY = "reel-ballers:user";
const listeners = new Set<() => void>();
let user: string | null = localStorage.getItem(KEY);

export const identity = {
  user: (): string | null => user,
  signIn(id: string): void {
    localStorage.setItem(KEY, id);
    change(id);
  },
  signOut(): void {
    localStorage.removeItem(KEY);
    change(null);
  },
  subscribe(listener: () => void): () => void {
    listeners.add(listener);
    return () => listeners.delete(listener);
  },
};

function change(id: string | null): void {
  user = id;
  for (const listener of listeners) listener();
}
