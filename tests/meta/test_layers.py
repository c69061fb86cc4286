"""Imports go down only, stages do not know each other, and a package that no layer lists is refused."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LINT = "import sys; from importlinter.cli import lint_imports_command; sys.exit(lint_imports_command())"


def lint(*options: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", LINT, "--no-cache", *options]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


def test_imports_keep_the_contracts() -> None:
    done = lint()
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_package_that_no_layer_lists_is_refused(tmp_path: Path) -> None:
    layers = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"]
    contract = layers["contracts"][0]
    assert contract["exhaustive"] is True
    kept = [layer for layer in contract["layers"] if layer != "sandbox" and layer != "evidence"]
    config = tmp_path / "importlinter.toml"
    listed = ", ".join(f'"{layer}"' for layer in kept)
    config.write_text(
        '[tool.importlinter]\nroot_package = "compagnon"\n'
        '[[tool.importlinter.contracts]]\nname = "x"\ntype = "layers"\n'
        f'containers = ["compagnon"]\nexhaustive = true\nexhaustive_ignores = ["templates"]\nlayers = [{listed}]\n',
        encoding="utf-8",
    )
    done = lint("--config", str(config))
    assert done.returncode != 0
    assert "evidence" in done.stdout


def test_templates_hold_no_python_but_the_package_itself() -> None:
    folder = ROOT / "src" / "compagnon" / "templates"
    found = [path.relative_to(folder).as_posix() for path in folder.rglob("*.py")]
    assert found == ["__init__.py"]
    assert (folder / "__init__.py").read_text(encoding="utf-8").strip().startswith(('"""', "")), "a docstring at most"
