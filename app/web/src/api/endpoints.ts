/** The API's calls by name, as the backend's contract lists them. */
import { call } from "./client";
import type {
  Clip,
  CropKeyframe,
  Download,
  ExportJob,
  Game,
  Me,
  Media,
  NewClip,
  NewGame,
  PartUrl,
  PresignedUrl,
  Project,
  Reel,
  SentPart,
  UploadTicket,
} from "./types";

interface Page<T> {
  items: T[];
}

const id = encodeURIComponent;
const list = async <T>(path: string, signal?: AbortSignal): Promise<T[]> =>
  (await call<Page<T>>("GET", path, { signal })).items;

export const api = {
  me: (signal?: AbortSignal) => call<Me>("GET", "/api/me", { signal }),

  listMedia: (signal?: AbortSignal) => list<Media>("/api/media", signal),
  media: (mediaId: string, signal?: AbortSignal) => call<Media>("GET", `/api/media/${id(mediaId)}`, { signal }),
  mediaUrl: (mediaId: string, signal?: AbortSignal) =>
    call<PresignedUrl>("GET", `/api/media/${id(mediaId)}/url`, { signal }),
  startUpload: (file: { filename: string; content_type: string; size_bytes: number }, key: string) =>
    call<UploadTicket>("POST", "/api/media", { body: file, key, standsAlone: true }),
  partUrls: async (mediaId: string, part_numbers: number[], signal?: AbortSignal) =>
    (
      await call<{ parts: PartUrl[] }>("POST", `/api/media/${id(mediaId)}/part-urls`, {
        body: { part_numbers },
        signal,
      })
    ).parts,
  completeUpload: (mediaId: string, parts: SentPart[], signal?: AbortSignal) =>
    call<Media>("POST", `/api/media/${id(mediaId)}/complete`, { body: { parts }, signal, standsAlone: true }),
  abortUpload: (mediaId: string) => call<void>("DELETE", `/api/media/${id(mediaId)}/upload`, { standsAlone: true }),

  listGames: (signal?: AbortSignal) => list<Game>("/api/games", signal),
  createGame: (game: NewGame, key: string) => call<Game>("POST", "/api/games", { body: game, key }),
  createClip: (clip: NewClip, key: string) => call<Clip>("POST", "/api/clips", { body: clip, key }),

  listProjects: (signal?: AbortSignal) => list<Project>("/api/projects", signal),
  project: (projectId: string) => call<Project>("GET", `/api/projects/${id(projectId)}`),
  createProject: (project: { name: string; aspect_ratio: string; clip_ids: string[] }, key: string) =>
    call<Project>("POST", "/api/projects", { body: project, key }),
  putCropKeyframe: (
    project: { id: string; revision: number },
    editId: string,
    { frame, ...value }: CropKeyframe,
    key: string,
  ) =>
    call<Project>("PUT", `/api/projects/${id(project.id)}/clip-edits/${id(editId)}/crop-keyframes/${frame}`, {
      body: { expected_revision: project.revision, ...value },
      key,
    }),

  listExports: (signal?: AbortSignal) => list<ExportJob>("/api/exports", signal),
  exportJob: (exportId: string, signal?: AbortSignal) =>
    call<ExportJob>("GET", `/api/exports/${id(exportId)}`, { signal }),
  startFraming: (projectId: string, key: string) =>
    call<ExportJob>("POST", "/api/exports", { body: { kind: "framing", project_id: projectId }, key }),
  cancelExport: (exportId: string) => call<ExportJob>("POST", `/api/exports/${id(exportId)}/cancel`),
  retryExport: (exportId: string) => call<ExportJob>("POST", `/api/exports/${id(exportId)}/retry`),

  listReels: (signal?: AbortSignal) => list<Reel>("/api/reels", signal),
  reel: (reelId: string, signal?: AbortSignal) => call<Reel>("GET", `/api/reels/${id(reelId)}`, { signal }),
  reelDownload: (reelId: string, signal?: AbortSignal) =>
    call<Download>("GET", `/api/reels/${id(reelId)}/download`, { signal }),
};
