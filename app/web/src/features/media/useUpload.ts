import { useEffect, useRef, useState } from "react";
import { api } from "../../api/endpoints";
import { putPart } from "../../api/storage";
import type { Media } from "../../api/types";
import { Upload, type UploadState } from "./upload";

const backend = { ...api, putPart };

/** The page's one upload at a time; leaving the page while it runs asks first. */
export function useUpload(onDone: (media: Media, file: File) => void) {
  const upload = useRef<Upload | null>(null);
  const [state, setState] = useState<UploadState | null>(null);
  const isRunning = state?.phase === "sending" || state?.phase === "completing";

  useEffect(() => {
    if (!isRunning) return;
    const ask = (event: BeforeUnloadEvent) => event.preventDefault();
    window.addEventListener("beforeunload", ask);
    return () => window.removeEventListener("beforeunload", ask);
  }, [isRunning]);

  return {
    state,
    start(file: File) {
      upload.current = new Upload(file, backend, (next) => {
        setState(next.phase === "done" ? null : next);
        if (next.phase === "done" && next.media !== null) onDone(next.media, file);
      });
      void upload.current.run();
    },
    resume: () => void upload.current?.run(),
    abort: () => void upload.current?.abort(),
  };
}
