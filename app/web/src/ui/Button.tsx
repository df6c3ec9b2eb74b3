import type { ButtonHTMLAttributes } from "react";

interface Props extends ButtonHTMLAttributes<HTMLButtonElement> {
  variant?: "primary" | "quiet" | "danger";
}

export function Button({ variant = "primary", type = "button", className = "", ...rest }: Props) {
  return <button type={type} className={`button button-${variant} ${className}`} {...rest} />;
}
