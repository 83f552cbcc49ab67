"""Where rows come from: files, the Hugging Face Hub, adapters of other formats; and how their cells become media.

* find_files: the files that a task's patterns name
* read_files: rows of local files, network never touched
* read_hub: rows of a Hub dataset at a pinned revision; the only module that touches the network
* ADAPTERS: readers of formats that are no table
* resolve_media, check_media: from cells to media; sample_frames, read_frames: from videos to images
* fingerprint: what identifies the loaded data
"""

from __future__ import annotations

from spatialeval.data.adapters import ADAPTERS, Adapter
from spatialeval.data.files import Row, read_files
from spatialeval.data.fingerprint import fingerprint
from spatialeval.data.frames import FrameRule, pick, read_frames, sample_frames
from spatialeval.data.hub import read_hub
from spatialeval.data.locate import find_files
from spatialeval.data.media import MissingMedia, check_media, resolve_media

__all__ = [
    "ADAPTERS",
    "Adapter",
    "FrameRule",
    "MissingMedia",
    "Row",
    "check_media",
    "find_files",
    "fingerprint",
    "pick",
    "read_files",
    "read_frames",
    "read_hub",
    "resolve_media",
    "sample_frames",
]
