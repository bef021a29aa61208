import { expect } from "chai";
import { JOB_FILE_LIMIT, type Job, readJob } from "../../src/job/job.js";

const DEFAULTS: Omit<Job, "executable"> = {
  kind: "command",
  logfile: undefined,
  workdir: undefined,
  shell: undefined,
  retries: 0,
  timeout: undefined,
  priority: 0,
  nice: undefined,
  after: [],
  requeueExit: 75,
  array: undefined,
};

function read(content: string | Uint8Array, name = "j.ini", executable = false) {
  return readJob(name, typeof content === "string" ? Buffer.from(content) : content, executable);
}

function reasonOf(content: string | Uint8Array, name?: string, executable?: boolean): string {
  const reading = read(content, name, executable);
  if (reading.ok) throw new Error(`not refused: ${JSON.stringify(reading.job)}`);
  return reading.reason;
}

describe("readJob", () => {
  it("reads a job of fjd", () => {
    expect(read("[fjd]\nexecutable: python x.py # no comment\n")).to.deep.equal({
      ok: true,
      job: { ...DEFAULTS, executable: "python x.py # no comment" },
    });
  });

  it("reads every key", () => {
    const text = `[job]\nroot = /x\n[control]\nExecutable = make A="1 2"; ls\nlogfile = out/a.csv\nworkdir = /w d
retries = 3\ntimeout = 1h 30m\npriority = -5\nnice = +10\nshell = /bin/bash \t-l\nrequeue_exit = 3\nafter = a, b:any\n`;
    expect(read(text)).to.deep.equal({
      ok: true,
      job: {
        kind: "command",
        executable: 'make A="1 2"; ls',
        logfile: "out/a.csv",
        workdir: "/w d",
        shell: "/bin/bash -l",
        retries: 3,
        timeout: 5400,
        priority: -5,
        nice: 10,
        requeueExit: 3,
        after: [
          { job: "a", on: "ok" },
          { job: "b", on: "any" },
        ],
        array: undefined,
      },
    });
  });

  it("takes a timeout of any length", () => {
    for (const [text, seconds] of [
      ["30d", 2_592_000],
      ["400 d", 34_560_000],
    ] as const) {
      const reading = read(`[control]\nexecutable = a\ntimeout = ${text}\n`);
      expect(reading).to.deep.equal({ ok: true, job: { ...DEFAULTS, executable: "a", timeout: seconds } });
    }
  });

  it("counts an empty value as not given", () => {
    const text =
      "[control]\nexecutable = a\nlogfile =\nworkdir:\nretries =\ntimeout =\npriority =\nnice =\nshell =\nrequeue_exit =\n";
    expect(read(text)).to.deep.equal({ ok: true, job: { ...DEFAULTS, executable: "a" } });
  });

  it("reads `none` as no exit code that requeues the job", () => {
    for (const none of ["none", "None"]) {
      const text = `[control]\nexecutable = a\nrequeue_exit = ${none}\n`;
      expect(read(text)).to.deep.equal({
        ok: true,
        job: { ...DEFAULTS, executable: "a", requeueExit: undefined },
      });
    }
  });

  it("takes a command of several lines, and values from [DEFAULT]", () => {
    const text = "[DEFAULT]\nretries = 2\nroot = /x\n[control]\nexecutable =\n  cd x &&\n  make\n";
    const job = { ...DEFAULTS, executable: "cd x &&\nmake", retries: 2 };
    expect(read(text)).to.deep.equal({ ok: true, job });
  });

  it("reads the priority -0 as 0", () => {
    const reading = read("[control]\nexecutable = a\npriority = -0\n");
    expect(reading.ok && Object.is(reading.job.priority, 0)).to.equal(true);
  });

  const script: Job = { ...DEFAULTS, kind: "script", executable: "" };
  const scripts: [what: string, content: string | Uint8Array, name: string][] = [
    ["a script", "#!/bin/sh\nls\n", "run.sh"],
    ["a binary", new Uint8Array([0x7f, 0x45, 0x4c, 0x46, 0, 0xff]), "a.out"],
    ["an executable that is ini by its content", "[control]\n", "job"],
    ["a script that is ini by its name", "#!/bin/sh\n", "j.ini"],
    ["a large script", `#!/bin/sh\n${"#".repeat(JOB_FILE_LIMIT)}`, "run.sh"],
  ];
  for (const [what, content, name] of scripts) {
    it(`runs ${what} with the x bit as a program`, () => {
      expect(read(content, name, true)).to.deep.equal({ ok: true, job: script });
    });
  }

  it("reads ini with the x bit, which some file systems give to every file", () => {
    expect(read("[control]\nexecutable = a\n", "j.ini", true)).to.have.nested.property("job.kind", "command");
  });

  it("reads ini of any name without the x bit", () => {
    expect(read("[control]\nexecutable = a\n", "job", false)).to.have.nested.property("job.executable", "a");
  });

  it("takes a file of exactly the largest size", () => {
    const start = "[control]\nexecutable = a\n#";
    expect(read(start.padEnd(JOB_FILE_LIMIT, "x")).ok).to.equal(true);
    expect(reasonOf(start.padEnd(JOB_FILE_LIMIT + 1, "x"))).to.match(/^j.ini: is longer than 1048576 bytes/);
  });

  const files: [what: string, reason: () => string, said: RegExp][] = [
    ["an empty file", () => reasonOf(""), /^j.ini: is empty; write "\[control\]"/],
    ["an empty executable", () => reasonOf("", "run.sh", true), /^run.sh: is empty/],
    [
      "a script without the x bit",
      () => reasonOf("#!/bin/sh\n", "run.sh"),
      /^run.sh: is a script .*not executable; chmod \+x/,
    ],
    [
      "a script without the x bit that is named as ini",
      () => reasonOf("#!/bin/sh\n"),
      /^j.ini: is a script .*chmod \+x/,
    ],
    [
      "a text file",
      () => reasonOf("hello\n", "notes"),
      /^notes, line 1: found "hello" before any section; .*chmod \+x/,
    ],
    [
      "a binary file",
      () => reasonOf(new Uint8Array([10, 0, 1]), "data"),
      /^data, line 2: is not a text file/,
    ],
    [
      "a file without a section of fjord's",
      () => reasonOf("[job]\nx = 1\n"),
      /^j.ini: has neither a section \[control\] nor \[fjd\]; write/,
    ],
    [
      "a section [Control]",
      () => reasonOf("[job]\n[Control]\n"),
      /neither.*did you mean \[control\] where line 2 says \[Control\]\?/,
    ],
    [
      "a section [contrl]",
      () => reasonOf("[contrl]\n"),
      /did you mean \[control\] where line 1 says \[contrl\]/,
    ],
    ["a section [ control ]", () => reasonOf("[ control ]\n"), /did you mean \[control\]/],
    ["a section [FJD]", () => reasonOf("[FJD]\n"), /did you mean \[fjd\]/],
    ["a section [fjord]", () => reasonOf("[fjord]\n"), /did you mean \[fjd\]/],
    [
      "a file with both sections",
      () => reasonOf("[fjd]\n\n[control]\n"),
      /^j.ini: has both \[control\] \(line 3\) and \[fjd\] \(line 1\); keep one/,
    ],
    [
      "a section that occurs twice",
      () => reasonOf("[fjd]\nexecutable=a\n[fjd]\n"),
      /^j.ini, line 3, section \[fjd\]: stands a second time.*line 1/,
    ],
  ];
  for (const [what, reason, said] of files) {
    it(`refuses ${what}`, () => expect(reason()).to.match(said));
  }

  const keys: [lines: string, where: string, said: RegExp][] = [
    ["", 'line 1, section [control], key "executable"', /is missing; write .*"executable = python run.py"/],
    ["executable =", 'line 2, section [control], key "executable"', /is empty; write/],
    ["executable = a\nretires = 3", 'line 3, section [control], key "retires"', /did you mean "retries"\?/],
    ["excutable = a", 'line 2, section [control], key "excutable"', /did you mean "executable"\?/],
    [
      "executable = a\nfoobarbaz = 3",
      'line 3, section [control], key "foobarbaz"',
      /the keys are executable, /,
    ],
    [
      "executable = a\nretries = many",
      'line 3, section [control], key "retries"',
      /found "many"; .* 0 to 1000000/,
    ],
    ["executable = a\nretries = -1", 'line 3, section [control], key "retries"', /found "-1"/],
    ["executable = a\nretries = 1.5", 'line 3, section [control], key "retries"', /found "1.5"/],
    ["executable = a\nretries = 1000001", 'line 3, section [control], key "retries"', /found "1000001"/],
    ["executable = a\nretries = 0x1", 'line 3, section [control], key "retries"', /found "0x1"/],
    ["executable = a\nretries = 3 ; c", 'line 3, section [control], key "retries"', /found "3 ; c"/],
    [
      "executable = a\ntimeout = soon",
      'line 3, section [control], key "timeout"',
      /found "soon"; write a duration/,
    ],
    ["executable = a\ntimeout = 0", 'line 3, section [control], key "timeout"', /found "0"; .*above 0/],
    [
      "executable = a\npriority = high",
      'line 3, section [control], key "priority"',
      /found "high"; .*-2147483648 to/,
    ],
    [
      "executable = a\npriority = 2147483649",
      'line 3, section [control], key "priority"',
      /found "2147483649"/,
    ],
    ["executable = a\nnice = 20", 'line 3, section [control], key "nice"', /found "20"; .*-20 to 19/],
    ...["0", "256", "-1", "75, 76", "never"].map((code): [string, string, RegExp] => [
      `executable = a\nrequeue_exit = ${code}`,
      'line 3, section [control], key "requeue_exit"',
      new RegExp(`found "${code}"; write an exit code from 1 to 255, or none`),
    ]),
    ["executable = a\nshell = bash; rm x", 'line 3, section [control], key "shell"', /such as \/bin\/bash/],
    ["executable = a\nshell = /usr/bin/fish", 'line 3, section [control], key "shell"', /POSIX shell/],
    ["executable = a\nshell = ./bash", 'line 3, section [control], key "shell"', /found ".\/bash"/],
    ["executable = a\nshell = -l", 'line 3, section [control], key "shell"', /found "-l"/],
    ["executable = a\nnice = -21", 'line 3, section [control], key "nice"', /found "-21"/],
    [
      "executable = a\nlogfile = x\n  nice = 1",
      'line 3, section [control], key "logfile"',
      /"x\\nnice = 1", several lines/,
    ],
    ["executable = a\nworkdir = x\n  y", 'line 3, section [control], key "workdir"', /several lines/],
    [
      "executable python x.py",
      "line 2, section [control]",
      /found "executable python x.py", which has no "="/,
    ],
    ["executable = a\n[DEFAULT]\nnice = x", 'line 4, section [DEFAULT], key "nice"', /found "x"/],
  ];
  for (const [lines, where, said] of keys) {
    it(`refuses ${JSON.stringify(lines)}, and names the place`, () => {
      const reason = reasonOf(`[control]\n${lines}\n`);
      expect(reason.startsWith(`j.ini, ${where}: `), reason).to.equal(true);
      expect(reason).to.match(said);
    });
  }

  it("gives the reason on one line, whatever the file and its name hold", () => {
    const long = "x".repeat(5000);
    const reasons = [
      reasonOf(`[control]\nexecutable = a\nnice = \x1b[2J\u202e${long}`, "a\nb\x07.ini"),
      reasonOf(`[control]\nexecutable = a\n${long}\x1b = 1`),
      reasonOf(`[control]\n${long}`),
      reasonOf(`${long}\x1b`),
      reasonOf(`[\x1bcontrol${long}]`),
      reasonOf(`[\x1bcontrol]`),
    ];
    for (const reason of reasons) {
      expect(reason).to.not.match(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u);
      expect(reason.length, reason).to.be.lessThan(400);
    }
    expect(reasons[0]).to.include(`"\\u{1b}[2J\\u{202e}${"x".repeat(75)}…"`);
    expect(reasons[0]).to.match(/^a\\nb\\u\{7\}\.ini, line 3/);
  });
});
