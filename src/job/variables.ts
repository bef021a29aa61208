import { elementOf } from "./element.js";
import { type IniSection, parseIni } from "./ini-dialect.js";
import { quote } from "./quote.js";
import { INDEX } from "./sweep.js";

/**
 * Limit for all parameters in the environment, in bytes. Each parameter counts with its NAME=VALUE and a NUL. Linux does not
 * accept a longer single string (execve(2), MAX_ARG_STRLEN).
 */
const LIMIT = 128 * 1024;

const PARAM = "FJORD_PARAM_";

/** Whether a variable belongs to a single job: `FJORD_INDEX`, `FJORD_ARRAY`, `FJORD_PARAM_…`. */
export function isJobVariable(name: string): boolean {
  return name === "FJORD_INDEX" || name === "FJORD_ARRAY" || name.startsWith(PARAM);
}

/** Environment variables that a job gets from its section `[params]`. */
export interface JobVariables {
  readonly variables: Readonly<Record<string, string>>;
  /** Reasons why parameters are missing in the variables, one line each. */
  readonly problems: readonly string[];
}

/**
 * Reads the parameters of a valid job file. A job with the parameter `index` is an element of a sweep or an array, and is
 * called `ARRAY_N` unless it was given another name.
 *
 * @param job name of the job
 */
export function variablesOf(job: string, content: Uint8Array): JobVariables {
  // Most job files have no parameters, so they need not be parsed a second time.
  if (!Buffer.from(content.buffer, content.byteOffset, content.length).includes("[params]")) return NONE;
  const ini = parseIni(content, { strictIn: new Set() });
  const params = ini.ok ? ini.sections.get("params")?.own : undefined;
  if (params === undefined) return NONE;
  const { variables, problems } = namedApart(params);
  const all = { ...elementVariables(job, params.get(INDEX)?.value), ...variables };
  return { variables: withinLimit(all, problems), problems };
}

function elementVariables(job: string, index: string | undefined): Record<string, string> {
  const array = elementOf(job)?.array;
  if (index === undefined) return {};
  return { FJORD_INDEX: index, ...(array !== undefined && { FJORD_ARRAY: array }) };
}

const NONE: JobVariables = { variables: {}, problems: [] };

/** Leaves out parameters that would share one variable, because the job could read the wrong value. */
function namedApart(params: IniSection["own"]) {
  const variables: Record<string, string> = {};
  const problems: string[] = [];
  const namedSo = new Map<string, string[]>();
  for (const [param, { value = "" }] of params) {
    const name = variableOf(param);
    const same = namedSo.get(name) ?? [];
    namedSo.set(name, [...same, param]);
    if (same.length === 0) variables[name] = value;
    else delete variables[name];
  }
  for (const [name, same] of namedSo) {
    if (same.length === 1) continue;
    problems.push(
      `fjord: ${name} is not set: the parameters ${same.map(quote).join(" and ")} share that name`,
    );
  }
  return { variables, problems };
}

/** Name of a parameter's variable. ASCII letters become capitals, and characters that a shell does not allow become `_`. */
function variableOf(param: string): string {
  return PARAM + param.replace(/[^A-Za-z0-9_]/gu, "_").toUpperCase();
}

/** Goes through the variables in their order, and keeps each one that still fits into the limit. */
function withinLimit(variables: Record<string, string>, problems: string[]): Record<string, string> {
  let room = LIMIT;
  const fitting: Record<string, string> = {};
  const left: string[] = [];
  for (const [name, value] of Object.entries(variables)) {
    const size = Buffer.byteLength(name) + Buffer.byteLength(value) + 2;
    if (size > room) left.push(name);
    else {
      fitting[name] = value;
      room -= size;
    }
  }
  if (left.length > 0) {
    const more = left.length > 1 ? ` and ${left.length - 1} more` : "";
    problems.push(
      `fjord: ${left[0]}${more} not set: parameters have 128 KiB of the environment; read the job file`,
    );
  }
  return fitting;
}
