"""Reads ini texts with Python's own configparser. configparser.test.ts compares fjord's reader with it.

stdin: a JSON list of {"path": ...} or {"base64": ...}. stdout: a JSON list of
{"plain": R, "strict": R, "lenient": R}, where R is {"sections", "defaults"} or {"error", "line"}:
plain    RawConfigParser() as it is
strict   the same, but it raises at the first wrong line, so that line numbers can be compared
lenient  strict in [control] and [fjd] only, which is fjord's policy for job files. configparser's own _read
         applies the policy, because its switches for strictness depend here on the section that it reads.
strict and lenient are null for Python 3.13 and later, whose _read has no such switches.
"""
import base64
import configparser
import io
import json
import sys

OURS = {"control", "fjd"}


class Valueless:
    """Value of a key without a value. It accepts continuation lines, at which Python 3.11 would fail."""

    def append(self, _line):
        pass


class Values(dict):
    def __setitem__(self, key, value):
        super().__setitem__(key, Valueless() if value is None else value)


class Oracle(configparser.RawConfigParser):
    everything = False

    def __init__(self):
        super().__init__(dict_type=Values)

    def _is_ours(self):
        frame = sys._getframe(1)
        while frame is not None and "sectname" not in frame.f_locals:
            frame = frame.f_back
        return self.everything or (frame is not None and frame.f_locals["sectname"] in OURS)

    _strict = property(_is_ours, lambda self, value: None)
    _optcre = property(
        lambda self: self.OPTCRE if self._is_ours() else self.OPTCRE_NV, lambda self, value: None
    )

    def _handle_error(self, exc, fpname, lineno, line):
        if not self._is_ours():
            return None
        error = configparser.ParsingError(fpname)
        error.lineno = lineno
        raise error


class StrictOracle(Oracle):
    everything = True


def open_item(item):
    if "path" in item:
        return open(item["path"], encoding="utf-8-sig")
    return io.TextIOWrapper(io.BytesIO(base64.b64decode(item["base64"])), encoding="utf-8-sig")


def values(pairs):
    return [[k, v] for k, v in pairs if k != "" and not isinstance(v, Valueless)]


def read(make, item):
    parser = make()
    try:
        with open_item(item) as file:
            parser.read_file(file)
    except (configparser.Error, UnicodeDecodeError) as error:
        return {"error": type(error).__name__, "line": getattr(error, "lineno", None)}
    return {
        "sections": [[name, values(parser.items(name))] for name in parser.sections()],
        "defaults": values(parser.defaults().items()),
    }


def main():
    has_switches = sys.version_info < (3, 13)
    results = []
    for item in json.load(sys.stdin):
        results.append(
            {
                "plain": read(configparser.RawConfigParser, item),
                "strict": read(StrictOracle, item) if has_switches else None,
                "lenient": read(Oracle, item) if has_switches else None,
            }
        )
    json.dump(results, sys.stdout)


main()
