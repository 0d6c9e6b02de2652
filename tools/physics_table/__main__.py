"""Write docs/physics.md, or with --check say whether it is what would be written."""

from __future__ import annotations

import sys
from pathlib import Path

from tools.physics_table.document import document

ROOT = Path(__file__).resolve().parents[2]
FILE = ROOT / "docs" / "physics.md"


def main() -> int:
    """Exit code: 1 if --check finds the document stale."""
    text = document(ROOT / "examples" / "madqci" / "network.yaml")
    if "--check" in sys.argv[1:]:
        fresh = FILE.exists() and FILE.read_text("utf-8") == text
        print("docs/physics.md is", "as computed" if fresh else "stale: run python -m tools.physics_table")
        return 0 if fresh else 1
    FILE.write_text(text, "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
