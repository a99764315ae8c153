"""What does nothing in a recipe, and why: the fields that the search for dead knobs passes by."""

from __future__ import annotations

import re
from typing import Any

from warmstart import values
from warmstart.api.extend import anneals
from warmstart.learners import PPO, ActorCritic, Agents, DynamicsFit, ModelBased
from warmstart.parts import Expectile, Fixed, MaximiseQ, NoConservatism, ToReturns, TrustRegion
from warmstart.recipe import Recipe
from warmstart.replay import Balanced, Newest

INITIAL = r"(init|scale|head_init|head_scale|last_hidden_scale)$"
IDLE: list[tuple[str, str]] = [
    (r"^name$", "always"),
    (r"^pretrain$", "no pretrain"),
    (r"^handover\.", "no pretrain"),
    (r"^handover\.value$", "no value"),
    (r"^handover\.(critic|targets)$", "no critics cross"),
    (r"^handover\.(targets|moments)$", "nothing crosses"),
    (r"^finetune\.rhythm\.per$", "blocks of steps"),
    (r"^finetune\.rhythm\.first$|^replay\.warmup\.steps$", "nothing learns online"),
    (r"backup\.|critic_optimiser\.|target_every$|^pretrain.*discount$", "critics stand still"),
    (r"\.tau$", "no critic"),
    (r"\.activation$", "tanh alone"),
    (r"net\.(activation|layer_norm|scale|last_hidden_scale)$", "SimBa has its own"),
    (r"^handover\.temperature$", "no temperature crosses"),
    (r"^handover\.log_std$", "same policy kind"),
    (r"^replay\.warmup\.by$", "no warm-up"),
    (r"^replay\.preload\.count$", "no count"),
    (r"\.eps$", "no layer norm"),
    (r"conservatism\.weight\.value$", "no conservatism"),
    (r"temperature\.value$", "no entropy"),
    (r"temperature_on$", "fixed temperature"),
    (r"actor_batch$", "one minibatch"),
    (r"backup\.replacement$", "no subset"),
    (r"backup\.actions$", "an entropy backup"),
    (r"backup\.chosen_by$", "one action"),
    (r"acting\.evaluate$", "deterministic"),
    (r"value_optimiser\.|\.value$|value_fit$|conservatism\.reference$", "no value"),
    (r"policy\.(squash|bounded_mean|std|log_std_range|log_std_affine)$", "deterministic"),
    (r"policy\.(squash|bounded_mean)$", "only together"),
    (r"policy\.kind$", "only with other parts"),
    (r"policy\.agents$|\.align$", "not squashed"),
    (r"policy\.agents$", "aligned"),
    (r"^handover\.(moments|temperature)$", "agents learn apart"),  # each has its own
    (r"^handover\.targets$", "critics made of baselines"),
    (r"conservatism\.with_data$", "importance sampling"),
    (r"normalise$", "only in both phases"),
    (r"^pretrain.*finished_only$", "always"),  # every episode of a dataset is finished
    (r"^finetune.*(policy|critic|value|model)\.net\." + INITIAL, "everything is kept"),
    (r"^finetune.*policy\.noise\." + INITIAL, "everything is kept"),
    (r"policy\.noise\.head_(init|scale)$", "a frozen generator"),  # its heads begin at 0
    (r"temperature\.per_dim$", "a target of 0"),
    (r"^finetune.*model\.log_var$", "everything is kept"),
    (r"^finetune.*policy\.log_std_affine$", "everything is kept"),
    (r"^finetune.*weight\.init$|^finetune.*temperature\.init$", "everything is kept"),
    (r"^finetune\.learner\.scale$", "everything is kept"),
    (r"\.encoder(\.|$)", "always"),  # the diary shows no images: see engine/test_images.py
    (r"^finetune\.anneal_steps$", "nothing is annealed"),
    (r"^replay\.source\.over$", "a fixed share"),
]
"""(path, setting): a field that does nothing in a setting; it is alive in another one."""
REFUSED: list[tuple[str, str]] = [
    (r"^replay\.preload\.kind$", "logged rows"),  # they would stand in the ring too
    (r"\.cloning$", "no climbing"),  # there is nothing that it comes before
    (r"\.cloning$", "deterministic"),  # it has no likelihood
    (r"\.cloning$", "a flow"),
    (r"improvement\.pessimism$", "no mean"),  # it is taken off the mean
    (r"\.cloning$", "chunks"),  # a logged chunk has no likelihood as a whole
    (r"backup\.entropy$", "several actions"),  # their maximum has none
    (r"(learner|acting)\.length$", "chunks"),  # of all learners and of acting it is one number
    (r"target_actor$", "a trust region"),  # it holds the actor to its slow copy
    (r"value\.members$", "one state value"),  # baselines are another fit's
    (r"\.align$", "several policies as one"),  # a mixture's moments are no pretrained density
    (r"\.align$", "scaled observations"),  # the frozen policy saw them as they are
    (r"^finetune.*finished_only$", "balanced rows"),  # open episodes are drawn too
    (r"finished_only$", "imagined rows"),  # they have no returns
    (r"^handover\.moments$", "a frozen generator"),  # they would move it
    (r"extras\.\d+\.name$", "a frozen generator"),  # its critics of noise go by that name
    (r"improvement\.aggregate$", "a pessimistic actor"),  # it is taken off the mean
    (r"learner\.normalise$", "beside a base"),  # its action stands in the observation as it is
    # A rollout is learnt from once, by who acted it:
    (
        r"^finetune\.rhythm\.(every|updates|first|pace)$|^replay\.(source|warmup\.steps)",
        "a rollout",
    ),
    # A phase has no end for those:
    (r"(temperature|weight|fit|source)\.optimiser\.decay$", "always"),
]
"""(path, setting): a field of which a check refuses every other value in a setting, and why."""


def idle(recipe: Recipe, path: str) -> bool:
    """Whether a table says that a field has nothing to do in this recipe."""
    return _in(IDLE, recipe, path) or refused(recipe, path)


def refused(recipe: Recipe, path: str) -> bool:
    """Whether the table says that a field of this recipe can have no other value."""
    return _in(REFUSED, recipe, path)


def _in(table: list[tuple[str, str]], recipe: Recipe, path: str) -> bool:
    stage = re.match(r"pretrain\.\d+", path)
    learner = values.get(recipe, f"{stage[0]}.learner" if stage else "finetune.learner")
    imagines = isinstance(learner, ModelBased)
    learner = _inner(learner)
    before = _inner(recipe.pretrain[-1].learner) if recipe.pretrain else learner
    parts = ("conservatism", "backup", "improvement")
    conservatism, backup, improvement = (getattr(learner, name, None) for name in parts)
    rhythm, temperature = recipe.finetune.rhythm, getattr(learner, "temperature", None)
    net = path.rpartition(".")[0]
    facts = {
        "always": True,
        "a fixed share": getattr(recipe.replay.source, "end", 0.0) is None,
        "nothing is annealed": not anneals(recipe),
        "imagined rows": imagines,
        "no pretrain": not recipe.pretrain,
        "everything is kept": bool(recipe.pretrain),
        "only in both phases": bool(recipe.pretrain),
        "same policy kind": True,
        "only together": True,
        "only with other parts": True,
        "no value": getattr(learner, "value", None) is None,
        "a trust region": isinstance(getattr(learner, "constraint", None), TrustRegion),
        "one state value": isinstance(learner, PPO)
        or isinstance(getattr(learner, "value_fit", None), Expectile | ToReturns),
        "fixed temperature": isinstance(temperature, Fixed),
        "no climbing": not isinstance(improvement, MaximiseQ),
        "no entropy": not isinstance(improvement, MaximiseQ)
        or learner.policy.distribution in ("deterministic", "generated"),
        "aligned": getattr(learner, "align", None) is not None,
        "several policies as one": learner.policy.distribution == "matched",
        "scaled observations": learner.normalise != "none",
        "agents learn apart": any(isinstance(s.learner, Agents) for s in recipe.pretrain),
        "balanced rows": isinstance(recipe.replay.source, Balanced),
        "critics made of baselines": recipe.handover.critic == "from_value",
        "not squashed": learner.policy.distribution not in ("squashed", "matched"),
        "nothing crosses": recipe.handover.actor == recipe.handover.critic == "fresh",
        "no critic": learner.critic is None,
        "critics stand still": learner.critic is None or "critic" not in learner.trains,
        "no critics cross": None in (before.critic, learner.critic),
        "no temperature crosses": not {Fixed, type(None)}.isdisjoint(
            (type(temperature), type(getattr(before, "temperature", None)))
        ),
        "blocks of steps": rhythm.every > 0,
        "nothing learns online": rhythm.updates == 0,
        "tanh alone": path.endswith(".activation")
        and getattr(values.get(recipe, net), "layer_norm", None) == "first"
        and len(values.get(recipe, f"{net}.hidden")) == 1,
        "SimBa has its own": re.search(r"\.net\.\w+$", path) is not None
        and getattr(values.get(recipe, net), "kind", "") == "simba",
        "no warm-up": recipe.replay.warmup.steps == 0,
        "logged rows": recipe.replay.source.logged,
        "no count": recipe.replay.preload.kind in ("none", "all"),
        "no layer norm": path.endswith(".eps") and not values.get(recipe, f"{net}.layer_norm"),
        "importance sampling": getattr(conservatism, "importance", False),
        "no conservatism": isinstance(conservatism, NoConservatism),
        "deterministic": learner.policy.distribution == "deterministic",
        "one minibatch": learner.minibatches == 1,
        "no subset": getattr(backup, "subset", None) is None,
        "an entropy backup": getattr(backup, "entropy", False),
        "one action": getattr(backup, "actions", 1) == 1,
        "a pessimistic actor": getattr(improvement, "pessimism", 0.0) > 0.0,
        "beside a base": getattr(learner.policy, "beside_base", False),
        "a frozen generator": getattr(learner.policy, "freezes", False),
        "a target of 0": getattr(temperature, "target", None) == 0.0,
        "a rollout": isinstance(recipe.replay.source, Newest),
        "several actions": getattr(backup, "actions", 1) > 1,
        "chunks": recipe.finetune.learner.chunk > 1,
        "a flow": learner.policy.distribution == "generated",
        "no mean": getattr(improvement, "aggregate", "mean") != "mean",
    }
    return any(re.search(pattern, path) and facts[why] for pattern, why in table)


def _inner(learner: Any) -> Any:
    """The learner inside one of several agents, or beside a model; the fit of a model alone is
    judged as the plainest of learners."""
    inner = getattr(learner, "learner", learner)
    return ActorCritic() if isinstance(inner, DynamicsFit) else inner
