import { useState } from "react";
import { useTranslation } from "react-i18next";
import { Button } from "@/lib/ui/button";

const COPIED_MS = 2_000;

/** The clipboard exists only on secure pages; elsewhere the text is marked and copied by hand. */
export function CopyButton({ text }: { text: string }) {
  const { t } = useTranslation();
  const [copied, setCopied] = useState(false);
  if (!("clipboard" in navigator)) return null;
  const copy = async () => {
    await navigator.clipboard.writeText(text);
    setCopied(true);
    setTimeout(() => setCopied(false), COPIED_MS);
  };
  return (
    <Button size="small" onClick={() => void copy().catch(() => {})}>
      {t(copied ? "twoFactor.copied" : "twoFactor.copy")}
    </Button>
  );
}
