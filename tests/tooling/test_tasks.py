"""Each task's name is written in one place besides the schedule, and the schedule has no other names."""

import ast
from collections import Counter
from pathlib import Path

from celery import current_app
from django.conf import settings

ROOT = Path(__file__).parents[2] / "linkadmin"


def ours() -> set[str]:
    current_app.loader.import_default_modules()
    return {name for name, task in current_app.tasks.items() if type(task).__module__.startswith("linkadmin.")}


def test_the_schedule_knows_its_tasks() -> None:
    scheduled = {entry["task"] for entry in settings.CELERY_BEAT_SCHEDULE.values()}

    assert scheduled <= ours()


def test_workers_accept_json_alone() -> None:
    conf = current_app.conf

    assert (conf.task_serializer, set(conf.accept_content)) == ("json", {"json"})


def test_the_name_of_a_task_is_spelled_once() -> None:
    names = ours()
    assert len(names) > 10
    spelled = Counter(
        node.value
        for path in ROOT.rglob("*.py")
        if path.name != "settings.py"
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Constant) and node.value in names
    )

    assert spelled == dict.fromkeys(names, 1)
