import { create } from "zustand";
import { TOAST_MS, TOAST_UNDO_MS, TOASTS_MAX } from "@/lib/limits";

export type ToastTone = "good" | "bad" | "plain";

export interface Toast {
  id: number;
  tone: ToastTone;
  title: string;
  detail?: string;
  /** The way back from what has just been done. */
  undo?: () => void;
}

let lastId = 0;

export const useToasts = create<{ toasts: Toast[] }>(() => ({ toasts: [] }));

export function dismissToast(id: number): void {
  useToasts.setState(({ toasts }) => ({ toasts: toasts.filter((toast) => toast.id !== id) }));
}

export function showToast(toast: Omit<Toast, "id">): void {
  lastId += 1;
  const id = lastId;
  useToasts.setState(({ toasts }) => ({ toasts: [...toasts, { ...toast, id }].slice(-TOASTS_MAX) }));
  setTimeout(() => dismissToast(id), toast.undo === undefined ? TOAST_MS[toast.tone] : TOAST_UNDO_MS);
}
