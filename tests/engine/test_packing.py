"""Small leaves of a carry cross in few arrays, and come back as they were."""

from __future__ import annotations

import jax
import numpy as np
import pytest
from tiny import same_bits, tiny, trainer

from warmstart.engine.host_runner import HostRunner
from warmstart.engine.packing import SMALL, Packing
from warmstart.engine.reads import Carried
from warmstart.engine.seed_batch import SeedBatch
from warmstart.engine.shared import key_of

LEAVES = [
    np.arange(6, dtype=np.float32).reshape(2, 3),
    np.int32(7),
    np.float32(2.5),
    np.zeros((0, 4), np.float32),
    np.arange(SMALL, dtype=np.float32),
    np.array([True, False]),
    np.arange(4, dtype=np.float32),
    np.array([1, 2], np.int32),
    np.array(9, np.uint32),
]


def packing(leaves=LEAVES, apart=()) -> Packing:
    shapes = [jax.ShapeDtypeStruct(np.shape(x), np.asarray(x).dtype) for x in leaves]
    return Packing(tuple(shapes), tuple(apart))


def test_leaves_come_back_to_the_last_bit() -> None:
    p = packing()
    assert p.groups == ((0, 2, 3, 6), (1, 7)) and p.alone == (4, 5, 8)
    packed = p.pack(LEAVES)
    assert [np.shape(x) for x in packed] == [(SMALL,), (2,), (), (11,), (3,)]
    for was, now in zip(LEAVES, p.unpack(packed), strict=True):
        np.testing.assert_array_equal(was, now)
        assert np.asarray(was).dtype == now.dtype and np.shape(was) == now.shape
    assert p == packing() and key_of(p.joined) == key_of(packing().joined) is not None


def test_what_is_apart_or_alone_of_its_type_crosses_as_it_is() -> None:
    p = packing(apart=(0, 2))
    assert p.groups == ((3, 6), (1, 7)) and p.alone == (0, 2, 4, 5, 8)
    single = packing([LEAVES[0], LEAVES[1]])
    assert single.groups == () and single.alone == (0, 1)
    assert single.unpack(single.pack(LEAVES[:2])) == LEAVES[:2]


@pytest.mark.parametrize("seeds", [(0,), (0, 1)])
def test_a_carry_that_was_looked_at_between_steps_learns_the_same(seeds: tuple[int, ...]) -> None:
    def run(look: bool) -> SeedBatch:
        running = trainer(tiny("sac"), seeds)
        running.position.phase = "online"
        loop, carry, memory = running.open(), running.carry, running.memory
        assert isinstance(loop, HostRunner)
        for _ in range(20):
            carry, memory, _ = loop.advance(carry, memory, 1)
            if look:
                carry = carry.get(lambda whole: whole)
        carry = loop.catch_up(carry)
        assert running.position.updates > 0
        running.close()
        return carry

    carry, other = run(False), run(True)
    assert isinstance(carry, Carried)
    crossing = len(carry.kept.leaves[0]) + len(carry.read.leaves[0])
    assert crossing < len(carry.leaves[0]) / 2
    same_bits(carry.host(), other.host())
