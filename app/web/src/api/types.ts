/** The API's documents, as the backend sends them: frames, milliseconds and bytes are integers, times RFC 3339 UTC. */

export interface Me {
  user_id: string;
  profile_id: string;
  environment: string;
}

/** Facts of a media file; width and height are after display rotation, `fps_num / fps_den` is the frame rate. */
export interface ProbeInfo {
  width: number;
  height: number;
  fps_num: number;
  fps_den: number;
  frame_count: number;
  duration_ms: number;
  video_codec: string;
  audio_codec: string | null;
}

export type MediaStatus = "uploading" | "probing" | "ready" | "failed" | "expired";

export interface Media {
  id: string;
  filename: string;
  content_type: string;
  size_bytes: number;
  status: MediaStatus;
  /** A sentence for the user. */
  error: string | null;
  probe: ProbeInfo | null;
  created_at: string;
}

export interface PartUrl {
  part_number: number;
  url: string;
  size_bytes: number;
}

/** Where the parts of one upload go. `parts` holds only the first URLs; the others are asked for when needed. */
export interface UploadTicket {
  media: Media;
  upload: { part_size_bytes: number; part_count: number; parts: PartUrl[]; expires_at: string };
}

export interface SentPart {
  part_number: number;
  etag: string;
}

export type Venue = "home" | "away" | "tournament";

export interface NewGame {
  opponent: string;
  played_on: string;
  venue: Venue;
  media_ids: string[];
}

export interface Game extends NewGame {
  id: string;
}

export interface NewClip {
  game_id: string;
  media_id: string;
  in_frame: number;
  out_frame: number;
  rating: number;
  tags: string[];
  notes: string;
}

export interface Clip extends NewClip {
  id: string;
  revision: number;
}

/** A crop rectangle in source pixels; `frame` counts from the clip's in point. */
export interface CropKeyframe {
  frame: number;
  x: number;
  y: number;
  width: number;
  height: number;
  easing: "linear" | "smooth" | "hold";
}

export interface Project {
  id: string;
  name: string;
  revision: number;
  clip_edits: { id: string; clip_id: string; clip_revision: number; crop_keyframes: CropKeyframe[] }[];
}

export type ExportStatus = "pending" | "running" | "rendered" | "finalizing" | "complete" | "failed" | "cancelled";

export type Phase = "queued" | "reading" | "rendering" | "uploading";

export interface ExportJob {
  id: string;
  kind: string;
  status: ExportStatus;
  attempt: number;
  phase: Phase;
  frames_done: number;
  frames_total: number;
  progress_percent: number;
  reel_id: string | null;
  error: { code: string; message: string } | null;
  created_at: string;
}

export interface ExportMessage {
  type: "snapshot" | "progress" | "complete" | "failed" | "cancelled" | "heartbeat";
  export?: ExportJob | null;
}

export interface Reel {
  id: string;
  export_id: string;
  project_id: string | null;
  version: number;
  width: number;
  height: number;
  frame_count: number;
  fps_num: number;
  fps_den: number;
  duration_ms: number;
  size_bytes: number;
  current: boolean;
  created_at: string;
}

export interface PresignedUrl {
  url: string;
  expires_at: string;
}

export interface Download extends PresignedUrl {
  filename: string;
}
