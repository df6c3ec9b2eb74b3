/**
 * From a form to a running export, as a row of calls. What is made is kept in `Made`, so that a repeated run goes on
 * where the last one stopped; keys make a repeated call the same call.
 */
import type { CropKeyframe, ExportJob, Game, NewClip, NewGame, Project } from "../../api/types";
import { ASPECT_RATIO } from "./crop";

export interface ReelBackend {
  createGame(game: NewGame, key: string): Promise<Game>;
  createClip(clip: NewClip, key: string): Promise<{ id: string }>;
  createProject(project: { name: string; aspect_ratio: string; clip_ids: string[] }, key: string): Promise<Project>;
  project(projectId: string): Promise<Project>;
  putCropKeyframe(project: Project, editId: string, keyframe: CropKeyframe, key: string): Promise<Project>;
  startFraming(projectId: string, key: string): Promise<ExportJob>;
}

export interface ReelOrder {
  /** A game that exists, or one to create. */
  game: Game | NewGame;
  clip: Omit<NewClip, "game_id">;
  name: string;
  keyframes: CropKeyframe[];
}

/** What a run has made so far. */
export interface Made {
  key: string;
  game: Game | null;
  clipId: string | null;
  project: Project | null;
  keyframes: number;
}

export type Step = "game" | "clip" | "project" | "crop" | "export";

export function nothingMade(): Made {
  return { key: crypto.randomUUID(), game: null, clipId: null, project: null, keyframes: 0 };
}

/** Carries out what is missing in `made`, which it changes; rejects at the first call that fails. */
export async function makeReel(
  backend: ReelBackend,
  order: ReelOrder,
  made: Made,
  onStep: (step: Step) => void,
): Promise<ExportJob> {
  onStep("game");
  const game =
    made.game ?? ("id" in order.game ? order.game : await backend.createGame(order.game, `${made.key}-game`));
  made.game = game;
  onStep("clip");
  made.clipId ??= (await backend.createClip({ ...order.clip, game_id: game.id }, `${made.key}-clip`)).id;
  onStep("project");
  const clip_ids = [made.clipId];
  made.project ??= await backend.createProject(
    { name: order.name, aspect_ratio: ASPECT_RATIO, clip_ids },
    `${made.key}-project`,
  );
  onStep("crop");
  for (const keyframe of order.keyframes.slice(made.keyframes)) {
    made.project = await putKeyframe(backend, made.project, keyframe, made.key);
    made.keyframes += 1;
  }
  onStep("export");
  return backend.startFraming(made.project.id, `${made.key}-export`);
}

/** Takes over what others changed in the project meanwhile. */
export async function refreshMade(backend: ReelBackend, made: Made): Promise<void> {
  if (made.project !== null) made.project = await backend.project(made.project.id);
}

function putKeyframe(backend: ReelBackend, project: Project, keyframe: CropKeyframe, key: string): Promise<Project> {
  const edit = project.clip_edits[0];
  if (edit === undefined) throw new Error(`Project ${project.id} has no clip to crop.`);
  return backend.putCropKeyframe(project, edit.id, keyframe, `${key}-crop-${keyframe.frame}-${project.revision}`);
}
