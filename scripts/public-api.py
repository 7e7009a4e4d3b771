#!/usr/bin/env python3
"""public-api.py [--renew]: compares the public API with the recorded one, scripts/public-api.txt.

What is not in the record, or in it and gone, is printed, and the exit status is 1: such a change belongs into CHANGELOG.md,
and a release that may have it (CONTRIBUTING.md). --renew records the API as it is. The API is read from rustdoc's JSON,
whose form changes with toolchains: where it is another than the one known here, nothing is compared, and that is said.

Also printed, and never recorded, is what would keep the API from being frozen: a type of another crate than those that
are named here, and an enum, a struct with public fields or a variant with named fields that can't get another one.
"""

import difflib
import json
import os
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
RECORD = ROOT / "scripts/public-api.txt"
# The `format_version` of rustdoc 1.95's JSON.
FORMAT = 57
# The crates whose types and traits signatures may have. serde has been at 1.0 for years, and every user has it.
FOUNDATIONS = {"alloc", "core", "serde", "serde_core", "std"}
# What is exhaustive by intent, and why.
CLOSED = {
    "libcni::Chain": "a wrapper of one value, to be displayed",
    "libcni::Printable": "a wrapper of one value, to be displayed",
    "libcni::PrintableJson": "a wrapper of one value, to be displayed",
    "libcni::conformance::NoSuchCheck": "a number and nothing else",
    "libcni::link::Switch": "on and off",
    "libcni::spec::ErrorCode": "a number and nothing else",
    "libcni::spec::UnknownCommand": "a text and nothing else",
}
# The items that paths in signatures lead to.
used = set()


def documentation():
    """Rustdoc's JSON for the library with all features, as a stable toolchain can make it."""
    target = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
    command = ["cargo", "rustdoc", "--quiet", "--locked", "--lib", "--all-features", "--target-dir", str(target)]
    options = ["--", "-Z", "unstable-options", "--output-format", "json", "--cap-lints", "allow"]
    subprocess.run(command + options, cwd=ROOT, check=True, env={**os.environ, "RUSTC_BOOTSTRAP": "1"})
    return json.loads((target / "doc/libcni.json").read_text())


def generic_args(args):
    if not args or "angle_bracketed" not in args:
        parts = (args or {}).get("parenthesized")
        if not parts:
            return ""
        output = f" -> {type_of(parts['output'])}" if parts["output"] else ""
        return "(" + ", ".join(map(type_of, parts["inputs"])) + ")" + output
    angle = args["angle_bracketed"]
    parts = [arg.get("lifetime") or (type_of(arg["type"]) if "type" in arg else "_") for arg in angle["args"]]
    for constraint in angle["constraints"]:
        binding = constraint["binding"]
        equality = binding.get("equality")
        said = f" = {type_of(equality['type'])}" if equality else ": " + bounds(binding["constraint"])
        parts.append(constraint["name"] + said)
    return f"<{', '.join(parts)}>" if parts else ""


def path_of(path):
    used.add(path["id"])
    return path["path"].split("::")[-1] + generic_args(path.get("args"))


def bounds(all_bounds):
    return " + ".join(
        path_of(bound["trait_bound"]["trait"]) if "trait_bound" in bound else bound.get("outlives", "_")
        for bound in all_bounds
    )


def type_of(kind):
    if not isinstance(kind, dict):
        return "_"
    (form, value), = kind.items()
    match form:
        case "resolved_path":
            return path_of(value)
        case "primitive" | "generic":
            return value
        case "borrowed_ref":
            lifetime = f"{value['lifetime']} " if value["lifetime"] else ""
            return f"&{lifetime}{'mut ' if value['is_mutable'] else ''}{type_of(value['type'])}"
        case "tuple":
            return "(" + ", ".join(map(type_of, value)) + ")"
        case "slice":
            return f"[{type_of(value)}]"
        case "array":
            return f"[{type_of(value['type'])}; {value['len']}]"
        case "impl_trait":
            return "impl " + bounds(value)
        case "dyn_trait":
            lifetime = f" + {value['lifetime']}" if value["lifetime"] else ""
            return "dyn " + " + ".join(path_of(bound["trait"]) for bound in value["traits"]) + lifetime
        case "qualified_path":
            return f"<{type_of(value['self_type'])}>::{value['name']}"
        case "function_pointer":
            inputs, output = value["sig"]["inputs"], value["sig"]["output"]
            return "fn(" + ", ".join(type_of(kind) for _, kind in inputs) + ")" + (f" -> {type_of(output)}" if output else "")
    return form


def generics_of(generics):
    def one(param):
        kind = param["kind"].get("type")
        if kind is None:
            return param["name"]
        return param["name"] + (f": {bounds(kind['bounds'])}" if kind["bounds"] else "")

    params = [one(param) for param in generics["params"] if not (param["kind"].get("type") or {}).get("is_synthetic")]
    where = [
        f"{type_of(predicate['bound_predicate']['type'])}: {bounds(predicate['bound_predicate']['bounds'])}"
        for predicate in generics["where_predicates"]
        if "bound_predicate" in predicate
    ]
    return (f"<{', '.join(params)}>" if params else ""), (f" where {', '.join(where)}" if where else "")


class Api:
    def __init__(self, doc):
        self.index, self.lines, self.seen, self.closed = doc["index"], set(), set(), set()
        self.module(doc["root"], "libcni")

    def item(self, number):
        return self.index.get(str(number))

    def close(self, item, path):
        if "non_exhaustive" not in str(item["attrs"]) and path not in CLOSED:
            self.closed.add(path)

    def add(self, item, line):
        marks = "#[non_exhaustive] " if "non_exhaustive" in str(item["attrs"]) else ""
        self.lines.add(marks + line)

    def module(self, number, path):
        for child in self.item(number)["inner"]["module"]["items"]:
            item = self.item(child)
            if item is None or item["visibility"] != "public":
                continue
            used = item["inner"].get("use")
            if used is None:
                self.named(item, f"{path}::{item['name']}")
            elif used["id"] is not None and self.item(used["id"]) is not None:
                self.named(self.item(used["id"]), f"{path}::{used['name']}")

    def named(self, item, path):
        (kind, inner), = item["inner"].items()
        if (item["id"], path) in self.seen:
            return
        self.seen.add((item["id"], path))
        if kind == "module":
            self.lines.add(f"mod {path}")
            self.module(item["id"], path)
        elif kind == "function":
            self.function(item, path)
        elif kind == "constant":
            self.add(item, f"const {path}: {type_of(inner['type'])}")
        elif kind == "assoc_const":
            self.add(item, f"const {path}: {type_of(inner['type'])}")
        elif kind == "type_alias":
            self.add(item, f"type {path}{generics_of(inner['generics'])[0]} = {type_of(inner['type'])}")
        elif kind == "assoc_type":
            self.add(item, f"type {path}")
        elif kind in ("struct", "enum", "trait", "union"):
            params, where = generics_of(inner["generics"])
            self.add(item, f"{kind} {path}{params}{where}")
            if kind == "enum" or kind == "struct" and self.has_public_fields(inner):
                self.close(item, path)
            getattr(self, kind)(inner, path)

    def function(self, item, path):
        inner = item["inner"]["function"]
        params, where = generics_of(inner["generics"])
        arguments = ", ".join(f"{name}: {type_of(kind)}" for name, kind in inner["sig"]["inputs"])
        output = f" -> {type_of(inner['sig']['output'])}" if inner["sig"]["output"] else ""
        marks = "".join(word for word in ("const ", "async ") if inner["header"][f"is_{word.strip()}"])
        self.add(item, f"{marks}fn {path}{params}({arguments}){output}{where}")

    def fields(self, numbers, path):
        for field in filter(None, (self.item(number) for number in numbers if number is not None)):
            if field["visibility"] in ("public", "default"):
                self.add(field, f"field {path}::{field['name']}: {type_of(field['inner']['struct_field'])}")

    def has_public_fields(self, inner):
        kind = inner["kind"]
        numbers = [] if kind == "unit" else kind["plain"]["fields"] if "plain" in kind else kind["tuple"]
        fields = filter(None, (self.item(number) for number in numbers if number is not None))
        return any(field["visibility"] == "public" for field in fields)

    def struct(self, inner, path):
        kind = inner["kind"]
        if isinstance(kind, dict):
            self.fields(kind["plain"]["fields"] if "plain" in kind else kind["tuple"], path)
        self.impls(inner["impls"], path)

    def enum(self, inner, path):
        for variant in map(self.item, inner["variants"]):
            self.add(variant, f"variant {path}::{variant['name']}")
            kind = variant["inner"]["variant"]["kind"]
            if isinstance(kind, dict):
                numbers = kind["struct"]["fields"] if "struct" in kind else kind["tuple"]
                if "struct" in kind or len(numbers) > 1:
                    self.close(variant, f"{path}::{variant['name']}")
                self.fields(numbers, f"{path}::{variant['name']}")
        self.impls(inner["impls"], path)

    def trait(self, inner, path):
        for item in filter(None, map(self.item, inner["items"])):
            self.named(item, f"{path}::{item['name']}")

    def impls(self, numbers, path):
        for item in filter(None, map(self.item, numbers)):
            inner = item["inner"]["impl"]
            if inner["is_synthetic"] or inner["blanket_impl"]:
                continue
            if inner["trait"]:
                self.lines.add(f"impl {path_of(inner['trait'])} for {path}")
                continue
            for child in filter(None, map(self.item, inner["items"])):
                if child["visibility"] == "public":
                    self.named(child, f"{path}::{child['name']}")


def obstacles(doc, api):
    """What would keep the API from being frozen."""
    def crate(number):
        entry = doc["paths"].get(str(number))
        return (entry and entry["crate_id"] != 0 and doc["external_crates"][str(entry["crate_id"])]["name"], entry)

    foreign = [(name, "::".join(entry["path"])) for name, entry in map(crate, used) if name and name not in FOUNDATIONS]
    yield from (f"{path}: a type of the crate {name} in a signature" for name, path in sorted(foreign))
    yield from (f"{path}: not #[non_exhaustive]" for path in sorted(api.closed))


def main():
    doc = documentation()
    if doc["format_version"] != FORMAT:
        print(f"ignored: the public API is not compared: rustdoc's JSON has form {doc['format_version']}, not {FORMAT}")
        return 0
    api = Api(doc)
    if found := list(obstacles(doc, api)):
        print("\n".join(found))
        return 1
    now = sorted(api.lines)
    if sys.argv[1:] == ["--renew"]:
        RECORD.write_text("\n".join(now) + "\n")
        return 0
    recorded = RECORD.read_text().splitlines()
    changes = [line for line in difflib.unified_diff(recorded, now, lineterm="", n=0) if line[:1] in "+-" and line[:3] not in ("---", "+++")]
    for line in changes:
        print(line)
    if changes:
        print(f"The public API is not that of {RECORD.relative_to(ROOT)}: scripts/public-api.py --renew records it.")
    return 1 if changes else 0


if __name__ == "__main__":
    sys.exit(main())
