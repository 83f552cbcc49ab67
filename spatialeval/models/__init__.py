"""Models answer requests. One narrow asynchronous interface; a model is registered under the prefix of its spec.

    openai:gpt-4o        an OpenAI-compatible endpoint     hf:PATH_OR_ID      transformers, in this process
    random, majority, constant:X, oracle                   baselines, computed from the samples
    replay:FILE          saved replies                     embedded           the model this package ships

    @MODELS.register("openai")
    def open_model(name: str, options: ModelOptions) -> Model: ...

Modules here are light to import; torch, transformers, openai and aiohttp load in `start`.
"""

from __future__ import annotations

from spatialeval.models.base import MODELS, FunctionModel, Model, ModelOptions, open_model

__all__ = ["MODELS", "FunctionModel", "Model", "ModelOptions", "open_model"]
