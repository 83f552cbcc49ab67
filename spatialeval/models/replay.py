"""replay:FILE - replies saved earlier, by this package or anything else, as a model (see spatialeval.data.replies)."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from spatialeval.data.replies import SavedReply, read_replies
from spatialeval.errors import MissingDataError, ModelError, UsageError
from spatialeval.messages import Response
from spatialeval.models.base import MODELS, Model, ModelOptions
from spatialeval.models.extra import check_keys, option

if TYPE_CHECKING:
    from collections.abc import Mapping

    from spatialeval.messages import Request


class ReplayModel(Model):
    """Answers with the saved reply of a sample. Options: `id_column` and `response_column`."""

    sees_media: ClassVar[bool] = False
    free = True

    def __init__(self, path: Path, options: ModelOptions) -> None:
        check_keys("replay", options, ("id_column", "response_column"))
        self.spec, self.path = f"replay:{path}", path
        self.id_column = option("replay", options, "id_column", None, str)
        self.response_column = option("replay", options, "response_column", None, str)
        self._replies: Mapping[str, SavedReply] | None = None

    def identity(self) -> dict[str, Any]:
        """Return the digest of the file and the columns read."""
        if not self.path.is_file():
            raise MissingDataError(f"there is no file {self.path}. Name a file of saved replies.")
        with self.path.open("rb") as stream:
            digest = hashlib.file_digest(stream, "sha256").hexdigest()
        columns = {"id_column": self.id_column, "response_column": self.response_column}
        return {"spec": self.spec, "sha256": digest, **columns}

    async def start(self) -> None:
        """Read the file; raises what `read_replies` raises."""
        self._replies = read_replies(self.path, self.id_column, self.response_column)

    async def ask(self, request: Request) -> Response:
        """Return the saved reply; raise ModelError `no_content` when the sample has none."""
        if self._replies is None or request.sample is None:
            raise UsageError(f"{self.spec} must be started, and answers requests that name their sample.")
        reply = self._replies.get(request.sample.id)
        if reply is None:
            raise ModelError(f"{self.path} holds no reply for sample {request.sample.id!r}", kind="no_content")
        return Response(reply.text, reply.finish)


@MODELS.register("replay")
def open_replay(name: str, options: ModelOptions) -> ReplayModel:
    """Return the model that replays the file called `name`."""
    if not name:
        raise UsageError("replay needs a file: write replay:FILE.")
    return ReplayModel(Path(name).expanduser(), options)
