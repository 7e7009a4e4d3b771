#!/bin/sh
# Prints what the programs that scripts/build-static.sh has built are made of, as CycloneDX 1.5 in JSON: each crate that is
# linked, with its version, licence, checksum and what it needs, the standard library, and the checksums of the programs.
#
#   scripts/sbom.sh TARGET PROGRAM...
#
# Takes cargo and what every system has. The same sources and programs give the same bytes: it has no time and no number.
set -eu
target=$1
shift
cd "$(dirname "$0")/.."

# What only runs in the compiler is not in the programs.
tree() {
    cargo tree --quiet --locked --edges normal,no-proc-macro --target "$target" --prefix depth --no-dedupe --format "$1"
}

{
    rustc -vV | sed -n 's/^release: /rust /p'
    for program; do
        printf 'program %s %s\n' "$(basename "$program")" "$(sha256sum < "$program" | cut -d ' ' -f 1)"
    done
    awk '$1 == "name" { name = $3 } $1 == "version" { version = $3 } $1 == "checksum" { print "sum", name, version, $3 }' \
        Cargo.lock | tr -d '"'
    # Depth, name, version with its v, where from; licence; repository.
    tree ' {p}|{l}|{r}' | sed 's/^/crate /'
} | awk '
function quote(text) { gsub(/[\\"]/, "\\\\&", text); return "\"" text "\"" }
function reference(name, version) { return "pkg:cargo/" name "@" version }
function add(text) { components = components (components == "" ? "" : ",\n") text }

$1 == "rust" { rust = $2 }
$1 == "program" {
    programs = programs (programs == "" ? "" : ",\n") \
        "        { \"type\": \"application\", \"name\": " quote($2) ", \"version\": \"@VERSION@\", \"hashes\": " \
        "[{ \"alg\": \"SHA-256\", \"content\": " quote($3) " }] }"
}
$1 == "sum" { sums[reference($2, $3)] = $4 }
$1 == "crate" {
    split($0, fields, "|")
    depth = $2
    version = substr($4, 2)
    sub(/\|.*/, "", version)
    own = reference($3, version)
    # Of a tree without repetitions left out: what is one level up, needs this.
    path[depth] = own
    if (depth > 0 && !((path[depth - 1], own) in needs)) {
        needs[path[depth - 1], own] = 1
        needed[path[depth - 1]] = needed[path[depth - 1]] (needed[path[depth - 1]] == "" ? "" : ", ") quote(own)
    }
    if (own in seen) next
    seen[own] = 1
    order[++count] = own
    # Older crates write a slash for "or".
    gsub(/\//, " OR ", fields[2])
    if (depth == 0) {
        root = own; root_name = $3; root_version = version; root_license = fields[2]
        next
    }
    text = "    {\n      \"type\": \"library\",\n      \"bom-ref\": " quote(own) ",\n      \"name\": " quote($3) \
        ",\n      \"version\": " quote(version) ",\n      \"licenses\": [{ \"expression\": " quote(fields[2]) " }]"
    if (own in sums) text = text ",\n      \"hashes\": [{ \"alg\": \"SHA-256\", \"content\": " quote(sums[own]) " }]"
    text = text ",\n      \"purl\": " quote(own)
    if (fields[3] != "")
        text = text ",\n      \"externalReferences\": [{ \"type\": \"vcs\", \"url\": " quote(fields[3]) " }]"
    add(text "\n    }")
}
END {
    std = "pkg:generic/rust-std@" rust
    add("    {\n      \"type\": \"library\",\n      \"bom-ref\": " quote(std) ",\n      \"name\": \"rust-std\",\n" \
        "      \"version\": " quote(rust) ",\n      \"licenses\": [{ \"expression\": \"MIT OR Apache-2.0\" }],\n" \
        "      \"purl\": " quote(std) "\n    }")
    needed[root] = needed[root] ", " quote(std)
    gsub(/@VERSION@/, root_version, programs)
    print "{\n  \"bomFormat\": \"CycloneDX\",\n  \"specVersion\": \"1.5\",\n  \"version\": 1,\n  \"metadata\": {"
    print "    \"component\": {\n      \"type\": \"application\",\n      \"bom-ref\": " quote(root) ","
    print "      \"name\": " quote(root_name) ",\n      \"version\": " quote(root_version) ","
    print "      \"licenses\": [{ \"expression\": " quote(root_license) " }],\n      \"purl\": " quote(root) ","
    print "      \"components\": [\n" programs "\n      ]\n    }\n  },"
    print "  \"components\": [\n" components "\n  ],\n  \"dependencies\": ["
    for (i = 1; i <= count; i++)
        print "    { \"ref\": " quote(order[i]) ", \"dependsOn\": [" needed[order[i]] "] },"
    print "    { \"ref\": " quote(std) ", \"dependsOn\": [] }\n  ]\n}"
}'
