import fs from "node:fs";
import yargs, { type Argv } from "yargs";
import { Project } from "../compose/project.js";
import { FjordError } from "../job/error.js";
import { locateProject, named } from "../project/locate.js";

export { EXIT, main, mainOfDaemon, say } from "./main.js";

function version(): string {
  const file = new URL("../../../package.json", import.meta.url);
  return (JSON.parse(fs.readFileSync(file, "utf8")) as { version: string }).version;
}

/** The parser that all commands share: usage errors are told with what to do, help has examples. */
export function parser(name: string, usage: string, epilogue: string): Argv<{ project: string | undefined }> {
  return yargs()
    .scriptName(name)
    .usage(usage)
    .option("project", {
      type: "string",
      requiresArg: true,
      describe:
        "the project: a name below $FJORD_HOME (~/.fjord), or a path with a / in it [$FJORD_PROJECT, or default]",
      global: true,
    })
    .version(version())
    .help()
    .alias("help", "h")
    .strict()
    .wrap(Math.min(100, process.stdout.columns || 100))
    .epilogue(epilogue)
    .fail((message, error) => {
      if (error !== undefined && error.name !== "YError") throw error;
      throw new FjordError("bad-usage", message, `${name} --help shows what there is.`);
    })
    .exitProcess(true) as Argv<{ project: string | undefined }>;
}

/**
 * Opens a project for who only looks: looking makes nothing. Undefined: it is the default project, and nobody has made
 * that yet.
 *
 * @throws FjordError `no-such-project` for one that was named
 */
export async function openToLook(args: { project?: string | undefined }): Promise<Project | undefined> {
  try {
    return await Project.open(args.project, process.env, { create: false });
  } catch (error) {
    const isMissing = error instanceof FjordError && error.code === "no-such-project";
    if (isMissing && named(args.project, process.env) === undefined) return undefined;
    throw error;
  }
}

/** Where the default project will be. */
export function defaultDirectory(): string {
  return locateProject(undefined, process.env, process.cwd());
}

export function openProject(args: { project?: string | undefined }): Promise<Project> {
  return Project.open(args.project);
}
