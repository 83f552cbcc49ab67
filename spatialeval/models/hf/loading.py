"""Loads a checkpoint: decides from its configuration whether it sees, and loads model and processor to match."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import torch
import transformers
from transformers import AutoConfig, AutoModelForCausalLM, AutoModelForImageTextToText, AutoProcessor, AutoTokenizer
from transformers.models.auto.modeling_auto import (
    MODEL_FOR_CAUSAL_LM_MAPPING_NAMES,
    MODEL_FOR_IMAGE_TEXT_TO_TEXT_MAPPING_NAMES,
)

from spatialeval.errors import UsageError
from spatialeval.models.hf import paligemma

if TYPE_CHECKING:
    from spatialeval.models.hf.checkpoint import Checkpoint, LoadSettings


@dataclass(frozen=True)
class Loaded:
    """A model ready to generate.

    Attributes:
        model: the transformers model, in evaluation mode on its device.
        renderer: what has the chat template and makes tensors: the processor, or a text model's tokenizer.
        tokenizer: pads on the left.
        sees: True when the model takes pictures.
        context: most positions of prompt and answer together, None when the configuration does not say.
        variables: of the chat template.
    """

    model: Any
    renderer: Any
    tokenizer: Any
    sees: bool
    context: int | None
    variables: dict[str, Any] = field(default_factory=dict)


def load(checkpoint: Checkpoint, settings: LoadSettings) -> Loaded:
    """Load `checkpoint`; raise UsageError, saying what to install or change, when that cannot work."""
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    where = {**checkpoint.where, "trust_remote_code": settings.trust_remote_code}
    place = settings.device or _first_device()
    try:
        config = AutoConfig.from_pretrained(**where)
        sees = takes_pictures(config)
        renderer = (AutoProcessor if sees else AutoTokenizer).from_pretrained(**where)
        loader = AutoModelForImageTextToText if sees else AutoModelForCausalLM
        placing = {"device_map": "auto"} if place == "auto" else {}
        model = loader.from_pretrained(**where, dtype=_dtype(settings.dtype, place), **placing)
        model = (model if placing else model.to(place)).eval()
    except ImportError as error:
        raise UsageError(_what_to_install(checkpoint, error)) from error
    except (OSError, ValueError, KeyError, RuntimeError, AssertionError) as error:
        raise UsageError(_why_not_loaded(checkpoint, error)) from error
    tokenizer = getattr(renderer, "tokenizer", renderer)
    if config.model_type == "paligemma":
        paligemma.prepare(renderer)
    _prepare(checkpoint, renderer, tokenizer, sees=sees)
    context = getattr(config.get_text_config(), "max_position_embeddings", None)
    return Loaded(model, renderer, tokenizer, sees, context, settings.chat_template_kwargs)


def takes_pictures(config: Any) -> bool:
    """Say whether a configuration is of a vision model; raise UsageError when it is of neither kind."""
    by_code = getattr(config, "auto_map", None) or {}
    architectures = set(getattr(config, "architectures", None) or ())
    for seeing, name, mapping in (
        (True, "AutoModelForImageTextToText", MODEL_FOR_IMAGE_TEXT_TO_TEXT_MAPPING_NAMES),
        (False, "AutoModelForCausalLM", MODEL_FOR_CAUSAL_LM_MAPPING_NAMES),
    ):
        if name in by_code or architectures & _class_names(mapping):
            return seeing
    if config.model_type in MODEL_FOR_IMAGE_TEXT_TO_TEXT_MAPPING_NAMES:
        return True
    if config.model_type in MODEL_FOR_CAUSAL_LM_MAPPING_NAMES:
        return False
    raise UsageError(
        f"a model of type {config.model_type!r} answers neither text nor pictures with text in transformers "
        f"{transformers.__version__}. Serve it behind an OpenAI-compatible server, or install a newer transformers."
    )


def _class_names(mapping: dict[str, Any]) -> set[str]:
    names: set[str] = set()
    for value in mapping.values():
        names.update([value] if isinstance(value, str) else value)
    return names


def _first_device() -> str:
    if torch.cuda.is_available():
        return "cuda"
    return "mps" if torch.backends.mps.is_available() else "cpu"


def _dtype(name: str | None, place: str) -> Any:
    """Half precision is slow on most CPUs, so the checkpoint's own type is the default elsewhere only."""
    if name is None:
        return torch.float32 if place == "cpu" else "auto"
    dtype = "auto" if name == "auto" else getattr(torch, name, None)
    if dtype != "auto" and not isinstance(dtype, torch.dtype):
        raise UsageError(f"dtype {name!r} is not known. Give float32, bfloat16, float16 or auto.")
    return dtype


def _prepare(checkpoint: Checkpoint, renderer: Any, tokenizer: Any, *, sees: bool) -> None:
    """Pad on the left, as generating in batches needs it, and make sure that chats can be rendered."""
    if sees and not hasattr(renderer, "image_processor"):
        raise UsageError(f"{checkpoint.source} holds no image processor. Add its preprocessor_config.json.")
    if not getattr(renderer, "chat_template", None):
        if not getattr(tokenizer, "chat_template", None):
            raise UsageError(f"{checkpoint.source} has no chat template. Use an instruction-tuned checkpoint.")
        renderer.chat_template = tokenizer.chat_template
    tokenizer.padding_side = "left"
    if tokenizer.pad_token is None:
        tokenizer.pad_token = tokenizer.eos_token or tokenizer.unk_token


def _what_to_install(checkpoint: Checkpoint, error: ImportError) -> str:
    reason = str(error).strip()
    if "torchvision" in reason.lower():
        return f"the processor of {checkpoint.source} needs torchvision: pip install torchvision"
    return f"loading {checkpoint.source} needs a package that is not installed: {reason}"


def _why_not_loaded(checkpoint: Checkpoint, error: Exception) -> str:
    reason = str(error).strip() or type(error).__name__
    if "trust_remote_code" in reason:
        return (
            f"{checkpoint.source} needs Python code that comes with it. "
            "Read that code, and set the option trust_remote_code to true if you trust it."
        )
    return f"{checkpoint.source} cannot be loaded: {reason[:500]}"
