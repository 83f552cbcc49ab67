"""A shard beside a whole run of the same questions: nothing that the whole run answered is asked again."""

from __future__ import annotations

from dataclasses import replace

import pytest
from run_letters import Truthful, letters_run, run

from spatialeval.errors import UsageError
from spatialeval.run.merge import find_wholes, merge
from spatialeval.run.shard import Shard


async def test_a_shard_of_a_run_that_was_begun_whole_is_refused_and_the_whole_one_goes_on(tmp_path):
    spec = letters_run(tmp_path)
    await run(replace(spec, limit=20))
    model = Truthful()
    with pytest.raises(UsageError, match=r"would be asked again\. Go on there: .* without --shard .* --out"):
        await run(replace(spec, shard=Shard(1, 2)), model)
    assert not model.asked
    await run(spec, model)
    assert model.asked.total() == 20
    elsewhere = await run(replace(spec, shard=Shard(1, 2), out=tmp_path / "other"), model)
    assert elsewhere.states == {"scored": 20}


async def test_a_shard_goes_on_beside_what_was_merged_from_it(tmp_path):
    spec = letters_run(tmp_path)
    await run(replace(spec, shard=Shard(1, 2)))
    (whole,) = find_wholes([spec.out])
    merge(whole, partial=True)
    model = Truthful()
    await run(replace(spec, shard=Shard(1, 2)), model)
    assert not model.asked
    await run(replace(spec, shard=Shard(2, 2)), model)
    assert model.asked.total() == 20
