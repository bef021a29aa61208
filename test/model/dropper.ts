import type { Layout } from "../../src/project/layout.js";
import { type JobPlan, textOf } from "./jobs.js";
import type { Server } from "./server.js";
import type { Watch } from "./watch.js";
import type { World } from "./world.js";

/** Directory in which people write the files that they then move into the queue. */
const HOME = "/home";

/** People who put files into the queue with `cp` and `mv`, without fjord. */
export class Dropper {
  readonly #world: World;
  readonly #server: Server;
  readonly #layout: Layout;
  readonly #watch: Watch;
  #left = 0;

  constructor(world: World, server: Server, layout: Layout, watch: Watch) {
    this.#world = world;
    this.#server = server;
    this.#layout = layout;
    this.#watch = watch;
    server.mkdir(server.root, "home", HOME);
  }

  /** Whether all files are in the queue and complete. */
  get isDone(): boolean {
    return this.#left === 0;
  }

  drop(plan: JobPlan, index: number): void {
    this.#left++;
    const { arrives = "submitted" } = plan;
    this.#world.after(plan.submittedAt, () => {
      if (typeof arrives === "object") this.#copy(plan, textOf(plan, index), arrives.pauses);
      else this.#move(plan, textOf(plan, index));
    });
  }

  #move({ name }: JobPlan, text: string): void {
    const draft = `${HOME}/${name}`;
    const file = `${name}.ini`;
    const [home] = this.#server.parentOf(draft, () => undefined);
    const inode = this.#server.create(home, name, draft);
    this.#server.write(inode, Buffer.from(text), draft);
    this.#world.after(1000, () => {
      const queue = this.#server.directory(this.#layout.jobqueue);
      this.#server.rename(home, name, queue, file, [draft, this.#layout.queued(file)]);
      this.#left--;
    });
  }

  #copy({ name }: JobPlan, text: string, [first, second]: readonly [number, number]): void {
    const path = this.#layout.queued(`${name}.ini`);
    const queue = this.#server.directory(this.#layout.jobqueue);
    const inode = this.#watch.beginDrop(() => this.#server.create(queue, `${name}.ini`, path));
    const write = (piece: string) => this.#server.write(inode, Buffer.from(piece), path);
    this.#world.after(first, () => {
      write(text.slice(0, text.length >> 1));
      this.#world.after(second, () => {
        write(text);
        this.#watch.endDrop(`${name}.ini`, inode);
        this.#left--;
      });
    });
  }
}
