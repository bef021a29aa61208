import type { Launcher, LauncherName } from "../launcher.js";
import { DetachedLauncher } from "./detached.js";
import { ScreenLauncher } from "./screen.js";
import { TmuxLauncher } from "./tmux.js";

/** The launcher that `--via` names. */
export function launcherOf(name: LauncherName): Launcher {
  switch (name) {
    case "detached":
      return new DetachedLauncher();
    case "tmux":
      return new TmuxLauncher();
    case "screen":
      return new ScreenLauncher();
    default: {
      const unknown: never = name;
      throw new Error(`unknown launcher: ${unknown}`);
    }
  }
}
