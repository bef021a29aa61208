import fs from "node:fs";
import path from "node:path";
import { PACKAGE_ROOT } from "../../project/package-root.js";
import { EXIT } from "../main.js";
import type { Common, Verb } from "../verb.js";

const SHELLS = ["bash", "zsh", "fish"] as const;

interface Args extends Common {
  readonly shell: (typeof SHELLS)[number];
}

/** `fjord completion`: prints the script of a shell, which asks the commands for the words that may follow (complete.ts). */
export const verb: Verb<Args> = {
  words: { shell: { choices: SHELLS, demandOption: true, describe: "the shell to print it for" } },
  options: {},
  examples: [
    ["source <(fjord completion bash)", "in ~/.bashrc; zsh: in ~/.zshrc, after compinit"],
    ["fjord completion fish | source", "in ~/.config/fish/config.fish"],
  ],

  async run({ shell }) {
    const script = path.join(PACKAGE_ROOT, "completion", `fjord.${shell}`);
    process.stdout.write(fs.readFileSync(script, "utf8"));
    return EXIT.ok;
  },
};
