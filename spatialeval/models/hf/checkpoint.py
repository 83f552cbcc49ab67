"""Where a checkpoint is, and what identifies its weights, found without loading it."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from spatialeval.errors import UsageError

_HUB_ID = re.compile(r"[A-Za-z0-9_][\w.-]*(/[A-Za-z0-9_][\w.-]*)?")
_CHUNK = 1024 * 1024
_READ_WHOLE = 16 * _CHUNK
_SUFFIXES = frozenset({".json", ".safetensors", ".bin", ".pt", ".model", ".txt", ".jinja", ".py"})


@dataclass(frozen=True)
class Checkpoint:
    """A model that transformers can load.

    Attributes:
        source: a local folder, or the name of a repository on the Hugging Face Hub.
        identity: the commit of the repository, or a digest of the folder's files.
        local: True for a folder: nothing about it touches the network.
    """

    source: str
    identity: str
    local: bool

    @property
    def where(self) -> dict[str, object]:
        """Arguments that make every `from_pretrained` load exactly this checkpoint."""
        if self.local:
            return {"pretrained_model_name_or_path": self.source, "local_files_only": True}
        return {"pretrained_model_name_or_path": self.source, "revision": self.identity}


@dataclass(frozen=True)
class LoadSettings:
    """How a checkpoint is loaded and asked; all of it is part of a run's identity.

    Attributes:
        dtype: "float32", "bfloat16", "float16" or "auto" (as stored); None is float32 on a CPU and auto elsewhere.
        device: "cpu", "cuda", "cuda:1", "mps" or "auto" (spread over all); None is the first accelerator, or the CPU.
        trust_remote_code: run Python code that comes with the checkpoint.
        chat_template_kwargs: variables of the chat template, such as {"enable_thinking": False}.
    """

    dtype: str | None = None
    device: str | None = None
    trust_remote_code: bool = False
    chat_template_kwargs: dict[str, Any] = field(default_factory=dict)


def locate(name: str, revision: str | None = None) -> Checkpoint:
    """Return the checkpoint called `name`: the folder of that path if there is one, else the repository on the Hub.

    Raises UsageError when there is neither, saying how to bring it here.
    """
    folder = Path(name).expanduser()
    if folder.is_dir():
        if not (folder / "config.json").is_file():
            raise UsageError(f"{folder} holds no config.json. Name the folder that save_pretrained wrote.")
        if revision:
            raise UsageError(f"{folder} is a folder, which has no revisions: leave out the option 'revision'.")
        return Checkpoint(str(folder), digest(folder), local=True)
    if not _HUB_ID.fullmatch(name):
        raise UsageError(f"there is no folder {folder}. Put the checkpoint there, or name the folder that holds it.")
    return Checkpoint(name, _commit(name, revision), local=False)


def digest(folder: Path) -> str:
    """Return a digest of the names, sizes and contents of a checkpoint's files.

    Of a file over 16 MB only the first, middle and last MB are read: other weights differ everywhere, and a
    digest of 100 GB would take minutes.
    """
    total = hashlib.sha256()
    for file in sorted(p for p in folder.iterdir() if p.is_file() and p.suffix in _SUFFIXES):
        size = file.stat().st_size
        total.update(f"{file.name}\0{size}\0".encode())
        with file.open("rb") as stream:
            if size <= _READ_WHOLE:
                total.update(stream.read())
                continue
            for start in (0, size // 2, size - _CHUNK):
                stream.seek(start)
                total.update(stream.read(_CHUNK))
    return f"sha256:{total.hexdigest()}"


def _commit(name: str, revision: str | None) -> str:
    """The commit that `revision` of a repository stands for, from the local cache where the network is off."""
    from huggingface_hub import hf_hub_download  # noqa: PLC0415 - costs 0.3 s
    from huggingface_hub.errors import (  # noqa: PLC0415
        EntryNotFoundError,
        HfHubHTTPError,
        HFValidationError,
        LocalEntryNotFoundError,
    )

    at = f"{name} at revision {revision}" if revision else name
    bring = f"Fetch it where there is network (hf download {name} --local-dir FOLDER), copy it and name hf:FOLDER."
    try:
        config = hf_hub_download(name, "config.json", revision=revision)
    except LocalEntryNotFoundError as error:
        raise UsageError(
            f"there is no folder {name!r}, and {at} is not in the local Hugging Face cache and cannot be fetched "
            f"(no network, or HF_HUB_OFFLINE is set). {bring}"
        ) from error
    except EntryNotFoundError as error:
        raise UsageError(f"{at} on the Hub holds no config.json: transformers cannot load it.") from error
    except (HfHubHTTPError, HFValidationError, OSError) as error:
        reason = str(error).strip().splitlines()[0]
        raise UsageError(f"there is no folder {name!r}, and the Hub does not give {at}: {reason}. {bring}") from error
    return Path(config).parent.name
