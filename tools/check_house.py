#!/usr/bin/env python3
"""Fails where the house is not in order: files too long, work left unfinished in the
text, documents that name what is not there, known defects that fit the code no more."""
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests" / "mutation"))
from defects import DEFECTS  # noqa: E402

LINES_MAX = 800  # Of a source file; past 400 it is questioned.
UNFINISHED = re.compile(r"\b(TODO|FIXME|HACK)\b|GTEST_SKIP|DISABLED_")
CODE = (".h", ".cc", ".py", ".sh", ".cmake")

files = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True,
                       check=True).stdout.split()
errors = []
for name in files:
    path = ROOT / name
    if not path.is_file() or path.suffix not in CODE + (".md",):
        continue
    lines = path.read_text(errors="replace").splitlines()
    if path.suffix in CODE and len(lines) > LINES_MAX:
        errors.append(f"{name}: {len(lines)} lines; split it ({LINES_MAX} at most)")
    for number, line in enumerate(lines, 1):
        if path.suffix in CODE and name != "tools/check_house.py" and UNFINISHED.search(line):
            errors.append(f"{name}:{number}: unfinished: {line.strip()}")

# Every path that a document names in backquotes is there.
for name in files:
    if not name.endswith(".md"):
        continue
    text = (ROOT / name).read_text()
    for found in re.findall(r"`((?:src|tests|tools|docs|include|examples|bench|fuzz)/[\w./-]+)`", text):
        if "NNN" not in found and not (ROOT / found).exists():
            errors.append(f"{name}: names {found}, which is not there")

# Every folder of src/ has its line in ARCHITECTURE.md.
architecture = (ROOT / "ARCHITECTURE.md").read_text()
for folder in sorted(p.name for p in (ROOT / "src").iterdir() if p.is_dir()):
    if f"src/{folder}/" not in architecture:
        errors.append(f"ARCHITECTURE.md has no line for src/{folder}/")

# Every known defect fits the code, so that it can be planted (tools/mutate.py).
for defect in DEFECTS:
    count = (ROOT / defect.file).read_text().count(defect.right)
    if count != 1:
        errors.append(f"tests/mutation/defects.py: the text of \"{defect.name}\" stands {count} "
                      f"times in {defect.file}, not once; write it anew")

print("\n".join(errors) if errors else f"the house is in order ({len(files)} files)")
sys.exit(1 if errors else 0)
