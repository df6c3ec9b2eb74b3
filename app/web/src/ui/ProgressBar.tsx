import { useId } from "react";

interface Props {
  label: string;
  /** 0-100; null while the amount is unknown. */
  percent: number | null;
  detail: string;
}

/** A progress bar that speaks: the live region repeats the label and each tenth, not every change. */
export function ProgressBar({ label, percent, detail }: Props) {
  const id = useId();
  const value = percent === null ? null : Math.min(100, Math.max(0, Math.floor(percent)));
  const spoken = value === null ? label : `${label}, ${Math.floor(value / 10) * 10} percent`;
  return (
    <div className="progress">
      <div className="progress-text">
        <span id={id}>{label}</span>
        <span className="muted tabular">{detail}</span>
      </div>
      <div
        role="progressbar"
        aria-labelledby={id}
        aria-valuemin={0}
        aria-valuemax={100}
        {...(value === null ? {} : { "aria-valuenow": value })}
        aria-valuetext={detail}
        className={value === null ? "bar bar-unknown" : "bar"}
      >
        <div className="bar-fill" style={{ inlineSize: value === null ? undefined : `${value}%` }} />
      </div>
      <span className="visually-hidden" aria-live="polite">
        {spoken}
      </span>
    </div>
  );
}
