import type { ReactNode } from "react";
import { onDemand } from "./on-demand";

export interface DialogProps {
  title: string;
  onClose: () => void;
  /** For tables and histories. */
  wide?: boolean;
  children: ReactNode;
}

/** A modal window. */
export const Dialog = onDemand<DialogProps>(() => import("./dialog-window"));
