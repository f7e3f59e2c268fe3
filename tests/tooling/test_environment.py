"""bin/environment.py: what it creates, what it leaves alone, and its one-sentence errors."""

import ast
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).resolve().parents[2] / "bin" / "environment.py"
RUN_AFTER = "import runpy, sys; {}; sys.argv = sys.argv[1:]; runpy.run_path(sys.argv[0], run_name='__main__')"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project with only the script and a lock file."""
    (tmp_path / "bin").mkdir()
    shutil.copy(SCRIPT, tmp_path / "bin")
    (tmp_path / "requirements.txt").write_text("# nothing\n")
    (tmp_path / "requirements-uv.txt").write_text("# nothing\n")
    return tmp_path


def run(project: Path, *folders: Path, first: str = "pass") -> subprocess.CompletedProcess[str]:
    script = [str(project / "bin" / "environment.py"), "requirements.txt", *map(str, folders)]
    return subprocess.run([sys.executable, "-c", RUN_AFTER.format(first), *script], capture_output=True, text=True)


def give_python(project: Path, script: str) -> None:
    """Install programs that run `script`, as if the environment existed."""
    programs = project / ".venv" / "bin"
    programs.mkdir(parents=True)
    for name in ("python", "pip", "uv"):
        (programs / name).write_text(f"#!/bin/sh\n{script}\n")
        (programs / name).chmod(0o755)


def one_sentence(text: str) -> bool:
    return len(text.splitlines()) == 1 and text.rstrip().endswith(".")


def test_a_python_that_is_too_old_is_rejected_in_one_sentence(project: Path) -> None:
    outcome = run(project, first="sys.version_info = (3, 10, 13)")

    assert outcome.returncode == 1
    assert one_sentence(outcome.stderr)
    assert "3.11 or newer, and this is 3.10" in outcome.stderr


def test_an_older_python_can_parse_the_script() -> None:
    ast.parse(SCRIPT.read_text(), feature_version=(3, 7))


def test_a_missing_venv_module_is_reported_with_its_package(project: Path) -> None:
    outcome = run(project, first="sys.modules['ensurepip'] = None")

    assert outcome.returncode == 1
    assert one_sentence(outcome.stderr)
    assert "apt install python3-venv" in outcome.stderr
    assert not (project / ".venv").exists()


def test_an_unwritable_data_folder_is_reported_before_anything_is_created(project: Path) -> None:
    (project / "file").touch()

    outcome = run(project, project / "file" / "var")

    assert outcome.returncode == 1
    assert one_sentence(outcome.stderr)
    assert "Can't write to" in outcome.stderr
    assert "LINKADMIN_DATA" in outcome.stderr
    assert not (project / ".venv").exists()


def test_a_data_folder_is_created_for_its_owner_only(project: Path) -> None:
    give_python(project, "exit 0")

    run(project, project / "deep" / "var")

    assert (project / "deep" / "var").stat().st_mode & 0o777 == 0o700


def test_an_unchanged_lock_file_is_not_installed_again(project: Path) -> None:
    give_python(project, f"echo called >> {project}/calls")
    assert run(project).returncode == 0
    (project / "calls").unlink()

    outcome = run(project)

    assert outcome.returncode == 0
    assert not (project / "calls").exists()


def test_a_changed_lock_file_is_installed_with_its_hashes(project: Path) -> None:
    give_python(project, f'echo "$@" >> {project}/calls')
    run(project)
    (project / "requirements.txt").write_text("# something else\n")
    (project / "calls").unlink()

    run(project)

    assert "--require-hashes -r requirements.txt" in (project / "calls").read_text()


def test_pip_installs_where_uv_cannot(project: Path) -> None:
    give_python(project, f'[ "$1" != pip ] && echo "$@" >> {project}/calls')

    outcome = run(project)

    assert outcome.returncode == 0
    assert "--require-hashes -r requirements.txt" in (project / "calls").read_text()


def test_a_failed_installation_is_tried_again_next_time(project: Path) -> None:
    give_python(project, "exit 1")

    outcome = run(project)

    assert outcome.returncode == 1
    assert one_sentence(outcome.stderr)
    assert run(project).returncode == 1


def test_uv_is_installed_by_its_version_and_hashes(project: Path) -> None:
    give_python(project, f'echo "$@" >> {project}/calls')

    run(project)

    pip, uv = (project / "calls").read_text().splitlines()
    assert pip.startswith("-m pip install")
    assert pip.endswith(f"--require-hashes -r {project}/requirements-uv.txt")
    assert uv.startswith("pip install")


def test_another_version_of_uv_is_installed(project: Path) -> None:
    give_python(project, f'echo "$@" >> {project}/calls')
    run(project)
    (project / "requirements-uv.txt").write_text("# another\n")
    (project / "calls").unlink()

    run(project)

    assert "requirements-uv.txt" in (project / "calls").read_text()


def test_a_slow_installer_does_not_leave_the_terminal_silent(project: Path) -> None:
    """The installer stops only after a progress line is printed."""
    give_python(project, f"until [ -e {project}/seen ]; do sleep 0.01; done")
    quick = "import runpy, sys; main = runpy.run_path(sys.argv[1])['main']; main.__globals__['TICK_SECONDS'] = 0.01; "
    call = "from pathlib import Path; main(Path(sys.argv[2]), [])"
    script = [str(project / "bin" / "environment.py"), str(project / "requirements.txt")]
    with subprocess.Popen([sys.executable, "-c", quick + call, *script], stdout=subprocess.PIPE, text=True) as program:
        assert program.stdout is not None
        lines = iter(program.stdout.readline, "")
        told = next((line for line in lines if "still working after 0 s" in line), "")
        (project / "seen").touch()
        program.stdout.read()

    assert told.endswith("packages installed\n")
    assert program.returncode == 0
