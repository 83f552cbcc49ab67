"""openai:NAME with `batch`: the same requests by way of the provider's Batch API, cheaper and within a day.

What is asked is collected in a file; when the run has nothing more to ask, the file is uploaded and becomes a batch,
and its answers are handed out when it ends. Strategies that ask again make waves of batches.

    settings   the options, and the limits of the API
    store      which batch holds which request, on disk before it counts
    collect    the file that the next batch is made of
    provider   the calls of the API
    outcomes   from a line of a result file to an answer or an error
    carry      one batch from its file to its answers, from wherever an earlier session left it
    model      the Model

Shapes and limits: https://platform.openai.com/docs/api-reference/batch and the types of the openai package.
"""

from __future__ import annotations
