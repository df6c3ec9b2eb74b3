import { type ReactNode, useId } from "react";

interface Props {
  title: string;
  /** Number of a step, shown before the title. */
  step?: number;
  /** A step whose turn has not come. */
  isWaiting?: boolean;
  children: ReactNode;
}

export function Card({ title, step, isWaiting = false, children }: Props) {
  const id = useId();
  return (
    <section className={isWaiting ? "card card-waiting" : "card"} aria-labelledby={id}>
      <h2 id={id}>
        {step !== undefined && <span className="step">{step}</span>}
        {title}
      </h2>
      {children}
    </section>
  );
}
