import fs from "node:fs";
import { EXIT } from "../command.js";
import type { Common, Verb } from "../verb.js";

const SHELLS = ["bash", "zsh", "fish"] as const;

interface Args extends Common {
  readonly shell: (typeof SHELLS)[number];
}

/** `fjord completion`: a script for a shell, which asks the commands themselves what may follow (complete.ts). */
export const verb: Verb<Args> = {
  options: (y) =>
    y
      .positional("shell", { choices: SHELLS, demandOption: true, describe: "the shell to print it for" })
      .example("source <(fjord completion bash)", "in ~/.bashrc; zsh: in ~/.zshrc, after compinit")
      .example("fjord completion fish | source", "in ~/.config/fish/config.fish"),

  async run({ shell }) {
    const script = new URL(`../../../../completion/fjord.${shell}`, import.meta.url);
    process.stdout.write(fs.readFileSync(script, "utf8"));
    return EXIT.ok;
  },
};
