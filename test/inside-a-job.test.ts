import fs from "node:fs";
import { fileURLToPath } from "node:url";
import { expect } from "chai";
import { sharedProject } from "./rig/with-project.js";

const PAGE = fs.readFileSync(fileURLToPath(new URL("../../docs/inside-a-job.md", import.meta.url)), "utf8");
const HEADS = { sh: "#!/bin/sh\nset -eu\n", python: "#!/usr/bin/env python3\n" };

/** The examples below a heading of the page, by language. */
function examples(heading: string): [language: keyof typeof HEADS, text: string][] {
  const section = PAGE.split(/^## /m).find((part) => part.startsWith(`${heading}\n`)) ?? "";
  return [...section.matchAll(/^```(sh|python)\n(.*?)^```$/gms)].map(([, language, text = ""]) => [
    language as keyof typeof HEADS,
    text,
  ]);
}

describe("the examples of docs/inside-a-job.md, each run as a job", () => {
  const project = sharedProject();

  before(async () => {
    await project().hire(1);
    project().start("dispatcher", ["--stay"]);
  });

  for (const [heading, judge] of Object.entries({
    Progress: (job: string) => {
      expect(fs.readFileSync(project().layout.progressOf(job, 1), "utf8")).to.equal("3/3 epoch 3\n");
    },
    Results: (job: string) => {
      expect(project().events("ended", job)[0]?.result).to.include({ loss: 0.25 });
    },
    Checkpoints: (job: string) => {
      const outcomes = project()
        .events("ended", job)
        .map(({ outcome }) => outcome.kind);
      expect(outcomes.sort()).to.deep.equal(["requeued", "requeued", "succeeded"]);
      expect(fs.existsSync(project().layout.checkpointOf(job))).to.equal(false);
    },
  })) {
    it(`has two examples for ${heading}`, () => {
      expect(examples(heading).map(([language]) => language)).to.deep.equal(["sh", "python"]);
    });

    for (const [language, text] of examples(heading)) {
      it(`succeeds with ${heading}, in ${language}`, async () => {
        const job = `${heading}.${language}`;
        project().rename(job, HEADS[language] + text, 0o755);
        expect((await project().ended(job)).outcome, project().log(job)).to.deep.equal({ kind: "succeeded" });
        judge(job);
      });
    }
  }
});
