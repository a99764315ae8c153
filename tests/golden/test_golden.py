"""Short seeded runs repeat the numbers that were written down, and notice what is read wrongly."""

from __future__ import annotations

import json
from collections.abc import Callable

import jax.numpy as jnp
import numpy as np
import pytest
from make import FILE, UPDATES, Trace, cases, golden, learner_of, trace

from warmstart.learners import DynamicsFit, LooksAhead
from warmstart.types import Transition

TRACES: dict[str, Trace] = json.loads(FILE.read_text())


def compare(ours: Trace, theirs: Trace) -> None:
    """Raise AssertionError where a number is another one, over the updates that we have."""
    for number, (line, written) in enumerate(zip(ours, theirs, strict=False)):
        assert line.keys() == written.keys()
        for name, value in written.items():
            np.testing.assert_allclose(
                line[name], value, rtol=1e-7, atol=1e-10, err_msg=f"update {number}: {name}"
            )


@pytest.mark.parametrize(("method", "phase"), cases())
def test_the_losses_of_ten_updates(method: str, phase: str) -> None:
    ours, theirs = golden(method, phase), TRACES[f"{method} {phase}"]
    assert len(ours) == len(theirs)
    compare(ours, theirs)


def test_no_trace_is_left_over() -> None:
    assert set(TRACES) == {f"{method} {phase}" for method, phase in cases()}


def _swapped(batch: Transition) -> Transition:
    return batch._replace(obs=batch.next_obs, next_obs=batch.obs)


def _paid(batch: Transition) -> Transition:
    return batch._replace(reward=-batch.reward)


def _unmasked(batch: Transition) -> Transition:
    return batch._replace(mask=jnp.ones_like(batch.mask))


def _unbounded(batch: Transition) -> Transition:
    return batch._replace(return_to_go=jnp.full_like(batch.return_to_go, -jnp.inf))


def _without_returns(batch: Transition) -> Transition:
    return batch._replace(return_to_go=jnp.zeros_like(batch.return_to_go))


def _ends_followed(batch: Transition) -> Transition:
    assert batch.followed is not None
    return batch._replace(followed=jnp.ones_like(batch.followed))


def _action_again(batch: Transition) -> Transition:
    return batch._replace(next_action=batch.action)


def _runs_on(batch: Transition) -> Transition:
    assert batch.later is not None
    return batch._replace(later=batch.later._replace(there=jnp.ones_like(batch.later.there)))


def _later_paid(batch: Transition) -> Transition:
    assert batch.later is not None
    return batch._replace(later=batch.later._replace(reward=-batch.later.reward))


def _later_unmasked(batch: Transition) -> Transition:
    assert batch.later is not None
    return batch._replace(later=batch.later._replace(mask=jnp.ones_like(batch.later.mask)))


def _one_action(batch: Transition) -> Transition:
    assert batch.later is not None
    same = jnp.broadcast_to(batch.action[..., None, :], batch.later.action.shape)
    return batch._replace(later=batch.later._replace(action=same))


def _padding_counts(batch: Transition) -> Transition:
    return batch._replace(t=jnp.maximum(batch.t, 0.0))


@pytest.mark.parametrize(("method", "phase"), cases())
def test_a_field_read_wrongly_changes_them(method: str, phase: str) -> None:
    """A program that reads a batch in some wrong way is the right one on such a batch."""
    learner = learner_of(method, phase)
    faults: list[Callable[[Transition], Transition]] = [_swapped]
    trains = getattr(getattr(learner, "learner", learner), "trains", ())
    if learner.critic is not None and "critic" in trains:
        faults += [_paid, _unmasked]
    if isinstance(learner, DynamicsFit):
        faults += [_paid]
    if learner.windows:
        faults += [_without_returns, _padding_counts]
    elif learner.reads_returns:
        faults += [_unbounded]
    if isinstance(learner, LooksAhead) and learner.reads_next_action:
        faults += [_ends_followed, _action_again]
    if learner.chunk > 1:
        faults += [_runs_on, _later_paid, _later_unmasked, _one_action]
    for fault in faults:
        with pytest.raises(AssertionError):
            compare(trace(learner, UPDATES, fault), TRACES[f"{method} {phase}"])
