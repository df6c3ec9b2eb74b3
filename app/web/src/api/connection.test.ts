import { afterEach, describe, expect, it, vi } from "vitest";
import { Connection, type Reachability } from "./connection";

/** The world around a Connection: it answers only when told to, and the page comes into view only when told to. */
class World {
  isHealthy = false;
  isInView = true;
  probes = 0;
  waits: number[] = [];
  states: Reachability[] = [];
  #resume: Array<() => void> = [];
  #show: Array<() => void> = [];
  readonly connection = new Connection({
    probe: async () => {
      this.probes += 1;
      return this.isHealthy;
    },
    wait: (ms) => {
      this.waits.push(ms);
      return new Promise((resolve) => this.#resume.push(resolve));
    },
    inView: () => (this.isInView ? Promise.resolve() : new Promise((resolve) => this.#show.push(resolve))),
  });

  constructor() {
    this.connection.subscribe((state) => this.states.push(state));
  }

  /** Ends the pause that the connection is in, and lets it go on. */
  async endPause(): Promise<void> {
    this.#resume.pop()?.();
    await settled();
  }

  async show(): Promise<void> {
    this.isInView = true;
    this.#show.pop()?.();
    await settled();
  }
}

const settled = () => new Promise((resolve) => setTimeout(resolve));

afterEach(() => {
  vi.restoreAllMocks();
});

describe("Connection", () => {
  it("asks nothing while calls are answered", async () => {
    const world = new World();
    for (let call = 0; call < 5; call++) world.connection.reportAnswer();
    await settled();
    expect([world.probes, world.states]).toEqual([0, []]);
  });

  it("stays online when one call failed and the probe does not", async () => {
    const world = new World();
    world.isHealthy = true;
    await world.connection.reportSilence();
    expect([world.probes, world.waits, world.states]).toEqual([1, [], []]);
  });

  it("is offline until a probe succeeds, and then asks no more", async () => {
    const world = new World();
    const isOver = world.connection.reportSilence();
    await settled();
    expect(world.states).toEqual(["offline"]);
    await world.endPause();
    expect(world.connection.state()).toBe("offline");
    world.isHealthy = true;
    await world.endPause();
    await isOver;
    expect(world.states).toEqual(["offline", "online"]);
    expect([world.probes, world.waits.length]).toEqual([3, 2]);
  });

  it("probes once at a time, however many calls fail", async () => {
    const world = new World();
    for (let call = 0; call < 4; call++) void world.connection.reportSilence();
    await settled();
    expect(world.probes).toBe(1);
  });

  it("ends its probes when another call is answered", async () => {
    const world = new World();
    const isOver = world.connection.reportSilence();
    await settled();
    world.connection.reportAnswer();
    await world.endPause();
    await isOver;
    expect([world.probes, world.states]).toEqual([1, ["offline", "online"]]);
  });

  it("can probe again after it was over", async () => {
    const world = new World();
    world.isHealthy = true;
    await world.connection.reportSilence();
    world.isHealthy = false;
    void world.connection.reportSilence();
    await settled();
    expect([world.probes, world.connection.state()]).toEqual([2, "offline"]);
  });

  it("does not probe while the page is out of view, and does at once when it is shown", async () => {
    const world = new World();
    world.isInView = false;
    void world.connection.reportSilence();
    await settled();
    expect([world.probes, world.states]).toEqual([0, []]);
    await world.show();
    expect([world.probes, world.states]).toEqual([1, ["offline"]]);
    world.isInView = false;
    await world.endPause();
    expect(world.probes).toBe(1);
    await world.show();
    expect(world.probes).toBe(2);
  });

  it("pauses longer and longer, up to a limit, and not in step with other pages", async () => {
    const pauses = async (random: number) => {
      vi.spyOn(Math, "random").mockReturnValue(random);
      const world = new World();
      void world.connection.reportSilence();
      await settled();
      for (let tries = 0; tries < 6; tries++) await world.endPause();
      return world.waits;
    };
    expect(await pauses(1)).toEqual([1000, 2000, 4000, 8000, 15_000, 15_000, 15_000]);
    expect(await pauses(0)).toEqual([500, 1000, 2000, 4000, 7500, 7500, 7500]);
  });
});
