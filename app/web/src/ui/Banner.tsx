import type { ReactNode } from "react";

interface Props {
  tone: "warn" | "info";
  testId: string;
  actions?: ReactNode;
  children: ReactNode;
}

/** A message about the whole page, at its top. */
export function Banner({ tone, testId, actions, children }: Props) {
  return (
    <div className={`banner banner-${tone}`} role="alert" data-testid={testId}>
      <p>{children}</p>
      {actions}
    </div>
  );
}
