import { create } from "zustand";
import { TOAST_MS, TOASTS_MAX } from "@/lib/limits";

export type ToastTone = "good" | "bad" | "plain";

export interface Toast {
  id: number;
  tone: ToastTone;
  title: string;
  detail?: string;
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
  setTimeout(() => dismissToast(id), TOAST_MS[toast.tone]);
}
