"""hf:PATH_OR_ID - vision and text models of transformers, in this process, micro-batched.

checkpoint   where a model is and what identifies it          (light)
batching     requests that wait become batches                (light)
model        the Model that ties them together, its options   (light)
loading, engine, sampling                                     (import torch; `model` imports them in `start`)
"""

from __future__ import annotations

from spatialeval.models.hf.model import HFModel, open_embedded, open_hf

__all__ = ["HFModel", "open_embedded", "open_hf"]
