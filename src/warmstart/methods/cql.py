"""CQL: conservative Q-learning (Kumar et al. 2020), offline and then online with the same loss.

    L_Q = w E_s[ log sum_j exp(Q(s, a_j) - log mu_j(a_j)) - E_{a~D} Q(s, a) ] + E (Q - y)^2  (eq. 4)

with ten actions a_j from each of the uniform distribution, pi(.|s) and pi(.|s') (appendix F), and
a fixed weight w or one that holds the gap at a threshold (eq. 30).

pretrain   SAC with the conservative term and no entropy in the backup
handover   everything is kept
replay     the dataset's share of every batch (0.5), the rest online
acting     a draw from the policy
finetune   the same loss, one update after every step

With `bc_weight` the actor descends on (alpha log pi - min Q) / mean|min Q| + bc_weight (m - a)^2,
m the policy's mode, the square a mean over the action's numbers.

**Differences.** The authors' phase of cloning at the start (40,000 actor steps) is `cloning`, and 0
in the presets of papers, whose released code has none. The maximum over ten backup actions is of
the minimum over critics; the authors' code takes the minimum of the maxima, and leaves it off. The
multiplier's gap is the critic step's own draw, not a second one. `bc_weight`, 0 in the presets of
papers and 1 in `quick`, also pulls the actor to the data, as TD3-BC does: on short logs the
published loss drifts off the logged actions and loses what cloning would give. Online the pull
falls to a hundredth within `bc_fade` critic steps: at once without it the policy is lost, and for
ever with it the policy learns no better than the data (benchmarks/NOTES.md, section 8).
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Annotated, Any

from warmstart.config import only, parted, resolve
from warmstart.errors import RecipeError
from warmstart.learners import ActorCritic
from warmstart.methods import sac
from warmstart.methods.fields import Aggregate, Online, PretrainSteps, Rate, Steps
from warmstart.parts import CQL, BehaviourCloning, Fixed, Learned, MaximiseQ, Scheduled
from warmstart.ranges import Count, Finite, NotNegative, Positive, Whole
from warmstart.recipe import Finetune, Recipe, Replay, Rhythm, Stage
from warmstart.replay import Mixed


@dataclass(frozen=True)
class Pessimism:
    """The conservative term."""

    weight: Annotated[Finite, "w of eq. 4; with `gap` it is learned instead"] = 5.0
    gap: Annotated[Finite | None, "where the gap is held, eq. 30 (none: w is fixed)"] = None
    gap_scale: Annotated[Positive, "factor of the learned weight; it begins at e times this"] = 5.0
    proposals: Annotated[Count, "actions from each distribution (appendix F)"] = 10
    importance: Annotated[bool, "proposals are weighted by their densities"] = True
    clip: Annotated[tuple[Finite, Finite] | None, "bounds of each row's gap (none: free)"] = None
    cloning: Annotated[Whole, "first updates in which the actor clones the data instead"] = 0
    bc_weight: Annotated[
        NotNegative,
        "weight of (pi(s) - a)^2 beside the soft loss over the mean size of Q (0: none)",
    ] = 0.0


@dataclass(frozen=True)
class Numbers(Pessimism, sac.Numbers):
    """What `learner` takes by name: SAC's numbers and the conservative term."""

    critic_subset: Annotated[Count | None, "critics that the term pushes, drawn (none: all)"] = None
    max_actions: Count = 10
    entropy_backup: bool = False
    actor_lr: Rate = 1e-4


@dataclass(frozen=True)
class Phased(Numbers):
    """With what is online; the defaults are those of locomotion in the released WSRL code."""

    max_actions: Count = 1
    share: Online = 0.5
    pretrain_steps: PretrainSteps = 250_000
    steps: Steps = 250_000


@dataclass(frozen=True)
class Config(Phased):
    """The numbers of CQL."""

    bc_fade: Annotated[
        Count | None, "online critic steps in which bc_weight falls to a hundredth (none: it stays)"
    ] = None


PRESETS: dict[str, Config] = {
    # Released Cal-QL and WSRL code: critic and policy sizes, weight, steps.
    "antmaze": Config(
        critic_hidden=(256,) * 4, gap=0.8, max_actions=10, pretrain_steps=1_000_000,
        steps=1_000_000,
    ),
    "kitchen": Config(
        hidden=(512, 512, 512), importance=False, max_actions=10, pretrain_steps=500_000,
        share=0.25, steps=1_500_000,
    ),
    "adroit": Config(
        hidden=(512, 512), critic_hidden=(512, 512, 512), weight=1.0, max_actions=10,
        pretrain_steps=20_000, steps=1_000_000,
    ),
    "locomotion": Config(),
    "quick": Config(
        hidden=(128, 128), batch=128, proposals=4, weight=1.0, bc_weight=1.0, actor_lr=1e-3,
        bc_fade=5_000, pretrain_steps=6_000, steps=20_000,
    ),
    "paper": Config(),
}  # fmt: skip
CITE = ("Kumar et al. 2020, Conservative Q-Learning for Offline Reinforcement Learning, NeurIPS",)


def learner(calibrated: bool = False, **given: Any) -> ActorCritic:
    """SAC without entropy in the backup, with the conservative term, by `Numbers`.

    With `gap` the weight is learned so that the gap meets it, starting at `gap_scale * e`
    (the released Cal-QL code's `5 exp(1)`). Whatever else is given is a field of the learner.
    """
    n, more = parted(Numbers, given)
    multiplier = (
        Fixed(n.weight)
        if n.gap is None
        else Learned(init=n.gap_scale * 2.718281828, target=n.gap, scale=n.gap_scale)
    )
    part = CQL(
        multiplier, n.proposals, importance=n.importance, calibrated=calibrated,
        subset=n.critic_subset, clip=n.clip,
    )  # fmt: skip
    if n.bc_weight and (twice := {"constraint", "improvement"} & more.keys()):
        raise RecipeError(f"bc_weight sets the {min(twice)} of the actor; give one of the two")
    update = sac.learner(**only(n, sac.Numbers), conservatism=part, cloning=n.cloning, **more)
    return near(update, n.aggregate, n.bc_weight) if n.bc_weight else update


def near(update: ActorCritic, aggregate: Aggregate, weight: float) -> ActorCritic:
    """With an actor that is also pulled to the logged actions, by TD3-BC's square.

    The whole soft loss is divided by the mean size of Q, the entropy too (ACA's lambda), so that
    the temperature that is found here fits critics that are not divided by anything, which is what
    WSRL's actor climbs online.
    """
    return dataclasses.replace(
        update,
        improvement=MaximiseQ(aggregate, scale=1.0),
        constraint=BehaviourCloning(Fixed(weight)),
    )


def behind(offline: ActorCritic, config: Config) -> ActorCritic:
    """The same learner online: nothing is cloned alone, and the pull to the data fades."""
    online = dataclasses.replace(offline, cloning=0)
    if not config.bc_weight or config.bc_fade is None:
        return online
    fading = Scheduled(config.bc_weight, config.bc_weight / 100, config.bc_fade)
    return dataclasses.replace(online, constraint=BehaviourCloning(fading))


def recipe(preset: str | Config = "paper", **changes: Any) -> Recipe:
    """CQL, offline and online."""
    config = resolve(PRESETS, preset, changes)
    offline = learner(**only(config, Numbers))
    return Recipe(
        name="cql",
        pretrain=(Stage(offline, config.pretrain_steps),),
        replay=Replay(Mixed(config.share)),
        finetune=Finetune(behind(offline, config), Rhythm(), config.steps),
    )
