#!/usr/bin/env python3
"""Fails when a folder includes one that stands above it, or beside it."""
import pathlib
import re
import sys

# What a folder may include beside itself. Ground first; ARCHITECTURE.md says why.
LAYERS = {
    "base": [],
    "model": ["base"],
    "db": ["base"],
    "http": ["base"],
    "format": ["base", "model"],
    "payload": ["base", "model", "db", "format"],
    "store": ["base", "model", "db"],
    "target": ["base", "model", "db"],
    "service": ["base", "model", "db", "format", "payload", "store", "target"],
    "worker": ["base", "model", "db", "format", "payload", "store", "target"],
    "api": ["base", "model", "http", "format", "store", "service"],
    "client": ["base", "model"],
}
# Tests may also read what they feed their subject with.
TESTS_ALSO = {"target": ["format"], "api": ["db", "payload", "target", "worker"],
              "client": ["http"], "http": [], "worker": ["service"], "service": ["worker"]}
EVERYTHING = {"app"}

src = pathlib.Path(__file__).resolve().parent.parent / "src"
errors = []
for path in sorted(src.rglob("*.[ch]*")):
    folder = path.relative_to(src).parts[0]
    if folder in EVERYTHING:
        continue
    allowed = [folder, *LAYERS[folder], "tallyman"]
    if re.search(r"_(test|bench|fuzz)\.cc$|_conformance\.h$|/test_\w+\.h$", str(path)):
        allowed += TESTS_ALSO.get(folder, [])
    for number, line in enumerate(path.read_text().splitlines(), 1):
        if found := re.match(r'#include "(\w+)/', line):
            if found[1] not in allowed:
                errors.append(f"{path}:{number}: {folder} may not include {found[1]}")
print("\n".join(errors) if errors else f"layers hold in {len(LAYERS)} folders")
sys.exit(1 if errors else 0)
