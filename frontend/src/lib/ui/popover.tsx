import type { ReactNode, RefObject } from "react";
import { onDemand } from "./on-demand";

export interface PopoverProps {
  /** What it stands beside, and what opened it. */
  anchor: RefObject<HTMLElement | null>;
  title: string;
  /** Kept for screen readers where the content names itself. */
  titleHidden?: boolean;
  onClose: () => void;
  children: ReactNode;
}

/** A small window beside what opened it; the page stays in reach. */
export const Popover = onDemand<PopoverProps>(() => import("./popover-window"));
