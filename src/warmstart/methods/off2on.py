"""Off2On: balanced replay and a pessimistic Q-ensemble (Lee et al. 2021).

Five CQL agents go on as one SAC agent, whose replay favours what looks online.

    pi   = tanh N(mu, sigma^2), the moments of the five Gaussians before tanh            (eq. 5)
    y_i  = r + gamma m [min(Q1'_i, Q2'_i)(s', a') - alpha log pi(a'|s')],  one a' ~ pi    (eq. 6)
    L_pi = alpha log pi(a|s) - mean_i min(Q1_i, Q2_i)(s, a)                               (eq. 7)
    row's priority ~ w(s, a)^(1/5),  w = d_online / d_offline by a network                (eq. 8)

pretrain   five agents by CQL, each on rows of its own
handover   actors and critics are kept; slow copies again, temperature and moments fresh
replay     dataset and online rows by priority; new online rows enter at the highest
acting     a draw from the matched policy; in evaluation tanh(mu)
finetune   SAC without the conservative term: 1,000 steps, then as many updates, at first five times

**Differences.** The released code has no offline part: CQL's numbers are `cql`'s for locomotion.
Episodes go on over a block's end, where the authors reset. The uniform online rows of the ratio
network are those of the ring. No Q-function is a target of another's: each agent has its own.
`quick` holds the offline actors to the data (`bc_weight`, see `cql`).
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Annotated, Any

from warmstart.config import only, resolve
from warmstart.handover import Handover
from warmstart.learners import ActorCritic, Agents
from warmstart.methods import cql, sac
from warmstart.methods.fields import Batch, CriticRate, Every, PretrainSteps, Rate, Steps, Tau
from warmstart.nets.spec import NetSpec
from warmstart.parts import MaximiseQ, PairedBackup
from warmstart.ranges import Count, Finite, Positive, Share
from warmstart.recipe import Finetune, Recipe, Replay, Rhythm, Stage
from warmstart.replay import Balanced


@dataclass(frozen=True)
class Config(cql.Pessimism, sac.Networks):
    """The numbers of Off2On; the conservative term's are of the pre-training alone."""

    agents: Annotated[Count, "agents of the ensemble, of two critics each"] = 5
    every: Annotated[Every, "environment steps between two blocks of as many updates"] = 1_000
    first: Annotated[Count, "how many times as many updates the first block has"] = 5
    fraction: Annotated[Share, "f, share of dataset rows at the first priorities"] = 0.75
    ratio_net: Annotated[tuple[Count, ...], "hidden layers of the network of w, eq. 8"] = (256, 256)
    max_actions: Annotated[Count, "actions of which the offline target takes the best"] = 1
    actor_lr: Annotated[Rate, "learning rate of actors and temperature"] = 3e-4
    critic_lr: CriticRate = 3e-4
    target_entropy: Annotated[Finite, "H_target for each action dimension"] = -1.0
    init_temperature: Annotated[Positive, "alpha before the first update"] = 1.0
    batch: Batch = 256
    tau: Tau = 0.005
    pretrain_steps: PretrainSteps = 1_000_000
    steps: Steps = 250_000


PRESETS: dict[str, Config] = {
    "paper": Config(),  # the README's example: f 0.75, first block x 5
    # The Cal-QL author's fork.
    "antmaze": Config(hidden=(256,) * 3, actor_lr=1e-4, gap=0.8, first=1, fraction=0.5),
    "quick": Config(
        hidden=(128, 128), batch=128, agents=3, proposals=2, weight=1.0, bc_weight=1.0, every=500,
        pretrain_steps=4_000, steps=20_000, ratio_net=(64, 64), fraction=0.5,
    ),
}  # fmt: skip
CITE = (
    "Lee et al. 2021, Offline-to-Online Reinforcement Learning via Balanced Replay and "
    "Pessimistic Q-Ensemble, CoRL",
    *cql.CITE,
)


def ensemble(agents: int, **numbers: Any) -> ActorCritic:
    """SAC on several agents as one: two critics each, every agent with its own target."""
    base = sac.learner(members=2 * agents, **numbers)
    return dataclasses.replace(
        base,
        policy=dataclasses.replace(base.policy, agents=agents),
        backup=PairedBackup(),
        improvement=MaximiseQ("pairs"),
    )


def recipe(preset: str | Config = "paper", **changes: Any) -> Recipe:
    """K agents by CQL, then SAC on the ensemble."""
    config = resolve(PRESETS, preset, changes)
    source = Balanced(config.fraction, first_block=config.every, net=NetSpec(config.ratio_net))
    offline = Agents(cql.learner(**only(config, cql.Numbers)), config.agents)
    online = ensemble(config.agents, **only(config, sac.Numbers))
    return Recipe(
        name="off2on",
        pretrain=(Stage(offline, config.pretrain_steps),),
        handover=Handover(targets="copy", temperature="fresh", moments="fresh"),
        replay=Replay(source, capacity=250_000),
        finetune=Finetune(online, Rhythm(config.every, config.every, config.first), config.steps),
    )
