import { expect } from "chai";
import { isJobVariable, variablesOf } from "../../src/job/variables.js";

function read(job: string, params: string): ReturnType<typeof variablesOf> {
  return variablesOf(job, Buffer.from(`[control]\nexecutable = true\n\n[params]\n${params}`));
}

describe("the variables of a job's parameters", () => {
  it("have names in capitals, with _ for characters that a shell variable cannot have", () => {
    expect(
      read("a", "Seed = 3\nlearning-rate: 0.1\na.b c = x\n9 = nine\ngrößeß = 1\n").variables,
    ).to.deep.equal({
      FJORD_PARAM_SEED: "3",
      FJORD_PARAM_LEARNING_RATE: "0.1",
      FJORD_PARAM_A_B_C: "x",
      FJORD_PARAM_9: "nine",
      FJORD_PARAM_GR__E_: "1",
    });
  });

  it("have the values exactly as in the file", () => {
    const { variables } = read(
      "a",
      'text = it\'s "$HOME" `x` \\ ü āĄ\n  second line ; = :\nempty =\nnothing\n',
    );
    expect(variables).to.deep.equal({
      FJORD_PARAM_TEXT: 'it\'s "$HOME" `x` \\ ü āĄ\nsecond line ; = :',
      FJORD_PARAM_EMPTY: "",
      FJORD_PARAM_NOTHING: "",
    });
  });

  it("give an element its number and its array", () => {
    expect(read("train_3", "index = 3\n").variables).to.include({ FJORD_INDEX: "3", FJORD_ARRAY: "train" });
    expect(read("lr-0.1", "index = 3\n").variables).to.deep.equal({
      FJORD_INDEX: "3",
      FJORD_PARAM_INDEX: "3",
    });
    expect(read("train_3", "n = 3\n").variables).to.deep.equal({ FJORD_PARAM_N: "3" });
  });

  it("leave out parameters whose variables share a name, and report this", () => {
    const { variables, problems } = read("a", "a-b = 1\na.b = 2\na_b = 3\nc = 4\n");
    expect(variables).to.deep.equal({ FJORD_PARAM_C: "4" });
    expect(problems).to.deep.equal([
      'fjord: FJORD_PARAM_A_B is not set: the parameters "a-b" and "a.b" and "a_b" share that name',
    ]);
  });

  it("leave out values that are too large for exec, and report this", () => {
    const { variables, problems } = read("a", `long = ${"x".repeat(128 * 1024)}\nshort = 1\nindex = 7\n`);
    expect(variables).to.deep.equal({ FJORD_PARAM_SHORT: "1", FJORD_PARAM_INDEX: "7", FJORD_INDEX: "7" });
    expect(problems.join()).to.match(/^fjord: FJORD_PARAM_LONG not set: .*read the job file$/);
    const many = read("a", Array.from({ length: 300 }, (_, i) => `p${i} = ${"x".repeat(1000)}\n`).join(""));
    expect(Object.keys(many.variables).length).to.be.within(120, 130);
    expect(many.problems.join()).to.contain(" more not set: ");
  });

  it("do not exist without [params]", () => {
    expect(variablesOf("a_1", Buffer.from("[control]\nexecutable = echo '[params]'\n"))).to.deep.equal({
      variables: {},
      problems: [],
    });
  });

  it("are distinguished from the variables that each job has", () => {
    const names = ["FJORD_INDEX", "FJORD_ARRAY", "FJORD_PARAM_X", "FJORD_JOB", "FJORD_PROJECT", "HOME"];
    expect(names.map(isJobVariable)).to.deep.equal([true, true, true, false, false, false]);
  });
});
