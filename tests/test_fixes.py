"""Every setting that a refusal names as the way out is one."""

from __future__ import annotations

import re

import pytest

from warmstart.api import declare
from warmstart.api.describe import crossing
from warmstart.errors import WarmstartError

SETTING = r"\b((?:pretrain|finetune|replay|handover|acting|learner)(?:\.\w+)*)=([\w.,]*\w)"
REFUSED = [
    ("wsrl", {"finetune": "td3"}),
    ("jsrl", {"finetune": "td3"}),
    ("pex", {"finetune": "td3"}),
    ("cal_ql", {"finetune": "td3"}),
    ("wsrl", {"finetune": "dt"}),
    ("wsrl", {"pretrain": "off2on"}),
    ("off2on", {"finetune": "sac"}),
    ("odt", {"finetune": "sac"}),
    ("cql", {"replay.source": "Windows"}),
    ("td3_bc", {"pretrain": "cql"}),
    ("rlpd", {"acting": "pex"}),
    ("rlpd", {"replay": "wsrl"}),
    ("sac", {"replay.warmup.by": "policy"}),
    ("redq", {"finetune.rhythm.updates": "3"}),
    ("iql", {"replay.preload.kind": "all", "replay.source": "Mixed"}),
    ("iql", {"replay.preload.kind": "last"}),
    ("iql", {"replay.source": "Mixed", "replay.source.share": "0.001"}),
    ("cal_ql", {"replay.source": "Balanced"}),
    ("td3_bc", {"finetune.learner.normalise": "none"}),
    ("sac", {"acting": "ByValue"}),
    ("bc", {"acting": "Optimistic"}),
    ("dt", {"acting": "Sampled"}),
    ("sac", {"acting": "Desired"}),
    ("sac", {"finetune.learner.improvement": "ExpansionRegression"}),
    ("cql", {"learner.policy.kind": "deterministic"}),
    ("iql", {"finetune.learner.policy.kind": "deterministic"}),
    ("td3_bc", {"learner.constraint.kind": "nll"}),
    ("sac", {"finetune.learner.backup.actions": "3"}),
    ("iql", {"learner.value.members": "2"}),
    ("awac", {"learner.value_fit": "Expectile"}),
    ("aca", {"pretrain.0.learner.value.members": "0"}),
    ("cal_ql", {"learner.conservatism.proposals": "uniform"}),
    ("cql", {"learner.conservatism.proposals": ""}),
    ("cal_ql", {"learner.conservatism.reference": "value"}),
    ("wsrl", {"finetune.learner.critic.members": "3"}),
    ("wsrl", {"finetune.learner.policy.std": "tanh"}),
    ("iql", {"handover.critic": "from_value"}),
    ("wsrl", {"pretrain": "bc", "handover.log_std": "9"}),
    ("td3", {"finetune.rhythm.pace": "ByDisagreement", "finetune.learner.critic.members": "1"}),
]


def _refusal(method: str, changes: dict[str, str]) -> str | None:
    """What is wrong with it; None: it can be declared, and what it trains can cross."""
    try:
        crossing(declare(method, "jax-pointmass", family="quick", changes=changes).recipe)
    except WarmstartError as error:
        return str(error)
    return None


@pytest.mark.parametrize(("method", "changes"), REFUSED)
def test_a_named_way_out_removes_the_error(method: str, changes: dict[str, str]) -> None:
    said = _refusal(method, changes)
    assert said is not None
    advice = said.partition(";")[2] or said
    ways = re.findall(SETTING, advice)
    assert ways or "take replay and finetune from the same method" in advice, said
    if re.search(rf"{SETTING} and {SETTING}", advice):  # they help together
        assert _refusal(method, {**changes, **dict(ways)}) is None
        return
    for path, value in ways:
        assert _refusal(method, {**changes, path: value}) != said, (path, value)
