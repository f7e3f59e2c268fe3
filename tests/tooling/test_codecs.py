"""Codecs that are there before any thread is."""

import subprocess
import sys


def test_codec_of_the_icons_is_imported_before_threads_can_race_for_it() -> None:
    asked = "import sys, linkadmin; print('encodings.cp437' in sys.modules)"

    told = subprocess.run([sys.executable, "-c", asked], capture_output=True, check=True, text=True).stdout

    assert told.strip() == "True"
