import type { ReactNode } from "react";

interface Props {
  tone: "danger" | "warn" | "info";
  /** Buttons. */
  actions?: ReactNode;
  children: ReactNode;
}

/** A message in its place: what went wrong is an alert, the rest a status. */
export function Notice({ tone, actions, children }: Props) {
  return (
    <div className={`notice notice-${tone}`} role={tone === "danger" ? "alert" : "status"}>
      <div>{children}</div>
      {actions && <div className="actions">{actions}</div>}
    </div>
  );
}
