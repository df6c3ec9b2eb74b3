import { type FormEvent, useState } from "react";
import { identity } from "../../api/identity";
import { Button } from "../../ui/Button";
import { Card } from "../../ui/Card";
import { Field } from "../../ui/Field";

const USER_ID = /^[A-Za-z0-9_-]{1,64}$/;

export function SignIn() {
  const [user, setUser] = useState("a");
  const [error, setError] = useState<string | null>(null);

  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (USER_ID.test(user)) identity.signIn(user);
    else setError("Use 1 to 64 letters, digits, - or _.");
  };

  return (
    <main className="sign-in">
      <Card title="Sign in">
        <p className="muted">Choose any user id: each one has its own library on this system.</p>
        <form onSubmit={submit} noValidate className="stack">
          <Field label="User id" error={error}>
            {(control) => (
              <input
                {...control}
                name="user"
                autoComplete="username"
                value={user}
                onChange={(event) => setUser(event.target.value)}
              />
            )}
          </Field>
          <Button type="submit">Sign in</Button>
        </form>
      </Card>
    </main>
  );
}
