import "./small-heap.js";
import path from "node:path";
import { Project } from "../compose/project.js";
import { Layout } from "../project/layout.js";
import { takeEnvironment } from "../recruiter/environment.js";
import { EXIT, mainOfDaemon, say } from "./main.js";
import { work } from "./work.js";

// What the recruiter starts: `worker` without the command line's parser, which costs each worker 15 MB and 60 ms.
mainOfDaemon("worker", async () => {
  const [directory, id] = process.argv.slice(2);
  if (directory === undefined || id === undefined) throw new Error("called by the recruiter: PROJECT ID");
  takeEnvironment(new Layout(path.resolve(directory)).environmentOf(id), process.env);
  await work(await Project.open(directory), {
    id,
    say: (text) => {
      if (process.stdout.isTTY) say("worker", text);
    },
  });
  return EXIT.ok;
});
