import { type ReactNode, useId } from "react";

interface Control {
  id: string;
  "aria-invalid"?: boolean;
  "aria-describedby"?: string;
}

interface Props {
  label: string;
  error?: string | null;
  /** Renders the input; it spreads `control` so that label and error belong to it. */
  children: (control: Control) => ReactNode;
}

export function Field({ label, error, children }: Props) {
  const id = useId();
  const errorId = `${id}-error`;
  return (
    <div className="field">
      <label htmlFor={id}>{label}</label>
      {children(error ? { id, "aria-invalid": true, "aria-describedby": errorId } : { id })}
      {error && (
        <p id={errorId} className="field-error">
          {error}
        </p>
      )}
    </div>
  );
}
