import { expect, it } from "vitest";
import { Problem } from "../../api/problem";
import type { ExportJob, Game, NewClip, NewGame, Project } from "../../api/types";
import { makeReel, nothingMade, type ReelBackend, type ReelOrder, refreshMade } from "./makeReel";

const order: ReelOrder = {
  game: { opponent: "Rovers", played_on: "2026-05-01", venue: "away", media_ids: ["m1"] },
  clip: { media_id: "m1", in_frame: 0, out_frame: 60, rating: 5, tags: [], notes: "" },
  name: "Rovers",
  keyframes: [0, 59].map((frame) => ({ frame, x: frame, y: 0, width: 9, height: 16, easing: "smooth" })),
};

class Backend implements ReelBackend {
  calls: string[] = [];
  revision = 1;

  async createGame(game: NewGame): Promise<Game> {
    this.calls.push("game");
    return { ...game, id: "g1" };
  }
  async createClip(clip: NewClip) {
    this.calls.push(`clip of ${clip.game_id}`);
    return { id: "c1" };
  }
  async createProject() {
    this.calls.push("project");
    return this.project();
  }
  async project(): Promise<Project> {
    const clip_edits = [{ id: "e1", clip_id: "c1", clip_revision: 1, crop_keyframes: [] }];
    return { id: "p1", name: "Rovers", revision: this.revision, clip_edits };
  }
  async putCropKeyframe({ revision }: Project, _: string, { frame }: { frame: number }): Promise<Project> {
    this.calls.push(`crop ${frame}`);
    if (revision !== this.revision) throw new Problem(409, { code: "stale_revision" });
    this.revision += 1;
    return this.project();
  }
  async startFraming(projectId: string): Promise<ExportJob> {
    this.calls.push(`export of ${projectId}`);
    return { id: "x1" } as ExportJob;
  }
}

it("makes game, clip, project, both keyframes and the export", async () => {
  const backend = new Backend();
  expect((await makeReel(backend, order, nothingMade(), () => {})).id).toBe("x1");
  expect(backend.calls).toEqual(["game", "clip of g1", "project", "crop 0", "crop 59", "export of p1"]);
});

it("goes on after a stale revision without making anything twice", async () => {
  const backend = new Backend();
  const made = nothingMade();
  const changedElsewhere = (step: string) => {
    if (step === "crop" && backend.revision === 1) backend.revision = 7;
  };
  await expect(makeReel(backend, order, made, changedElsewhere)).rejects.toThrow(Problem);
  await refreshMade(backend, made);
  await makeReel(backend, order, made, () => {});
  expect(backend.calls).toEqual(["game", "clip of g1", "project", "crop 0", "crop 0", "crop 59", "export of p1"]);
});

it("uses a game that exists", async () => {
  const backend = new Backend();
  await makeReel(backend, { ...order, game: { ...order.game, id: "g9" } as Game }, nothingMade(), () => {});
  expect(backend.calls.slice(0, 2)).toEqual(["clip of g9", "project"]);
});
