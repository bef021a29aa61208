import { TemporaryProject } from "./temporary-project.js";

/** Gives each test of the enclosing `describe` a project of its own. A test that leaves a process behind fails. */
export function projectPerTest(settings?: string): () => TemporaryProject {
  return hooked(beforeEach, afterEach, settings);
}

/** Gives all tests of the enclosing `describe` one project, for tests that do not disturb one another. */
export function sharedProject(settings?: string): () => TemporaryProject {
  return hooked(before, after, settings);
}

function hooked(
  open: Mocha.HookFunction,
  close: Mocha.HookFunction,
  settings: string | undefined,
): () => TemporaryProject {
  let project: TemporaryProject | undefined;
  open(() => {
    project = new TemporaryProject(settings);
  });
  close(async () => {
    const closing = project;
    project = undefined;
    await closing?.close();
  });
  return () => {
    if (project === undefined) throw new Error("there is a project in tests and hooks only");
    return project;
  };
}

/** Skips a test or suite because something is missing, and prints the reason. */
export function skip(context: Mocha.Context, reason: string): never {
  console.log(`      skipped: ${reason}`);
  return context.skip();
}
