import "./small-heap.js";
import path from "node:path";
import { Project } from "../library/project.js";
import { Layout } from "../project/layout.js";
import { takeEnvironment } from "../recruiter/environment.js";
import { EXIT, mainOfDaemon, say } from "./main.js";
import { work } from "./work.js";

// The recruiter starts this program. It is `worker` without the parser of the command line, which costs 15 MB and 60 ms.
mainOfDaemon("worker", async () => {
  const [directory, id] = process.argv.slice(2);
  if (directory === undefined || id === undefined) throw new Error("called by the recruiter: PROJECT ID");
  const foreign = takeEnvironment(new Layout(path.resolve(directory)).environmentOf(id), process.env);
  await work(await Project.open(directory), {
    id,
    foreign,
    say: (text) => {
      if (process.stdout.isTTY) say("worker", text);
    },
  });
  return EXIT.ok;
});
