"""TD3-BC, IQL and Cal-QL in PyTorch, written from the papers' equations: one file, no `warmstart`.

    python benchmarks/independent/plain.py iql ROWS.npz FOLDER --updates 100000 --every 10000

ROWS.npz holds float32 arrays `obs`, `action` in [-1, 1], `reward`, `next_obs`, `mask` (0 where the
task ended) and `return_to_go`. FOLDER receives `policy-N.npz` after every N updates: the policy's
layers and how observations are normalised.
"""

from __future__ import annotations

import argparse
import copy
import itertools
import math
from abc import ABC, abstractmethod
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

NUMBERS: dict[str, dict[str, float]] = {
    "td3_bc": {"lr": 3e-4, "alpha": 2.5, "noise": 0.2, "noise_clip": 0.5, "every": 2},
    "iql": {"lr": 3e-4, "expectile": 0.7, "beta": 3.0, "clip": 100.0},
    "cal_ql": {"actor_lr": 1e-4, "critic_lr": 3e-4, "weight": 5.0, "proposals": 10},
}
SHARED = {"discount": 0.99, "tau": 0.005, "batch": 256, "width": 256}


def net(sizes: list[int]) -> nn.Sequential:
    """Linear layers with ReLU between them."""
    layers: list[nn.Module] = []
    for a, b in itertools.pairwise(sizes):
        layers += [nn.Linear(a, b), nn.ReLU()]
    return nn.Sequential(*layers[:-1])


class Twins(nn.Module):
    """Two critics Q(s, a): [2, ...]."""

    def __init__(self, obs: int, action: int, width: int) -> None:
        super().__init__()
        self.both = nn.ModuleList([net([obs + action, width, width, 1]) for _ in range(2)])

    def forward(self, obs: Tensor, action: Tensor) -> Tensor:
        pair = torch.cat([obs, action], -1)
        return torch.stack([critic(pair).squeeze(-1) for critic in self.both])


class Learner(ABC):
    """What the three have in common: two critics, their slow copies, and a policy trunk."""

    def __init__(self, obs: int, action: int, given: dict[str, float], updates: int) -> None:
        self.n, self.updates, self.action = given, updates, action
        self.width = int(given["width"])
        self.critic = Twins(obs, action, self.width)
        self.slow = copy.deepcopy(self.critic).requires_grad_(False)

    def follow(self, net: nn.Module, slow: nn.Module) -> None:
        """slow <- (1 - tau) slow + tau net."""
        with torch.no_grad():
            for old, new in zip(slow.parameters(), net.parameters(), strict=True):
                old.lerp_(new, self.n["tau"])

    @abstractmethod
    def mode(self) -> nn.Sequential:
        """The trunk whose output, through tanh, is the action of evaluation."""

    @abstractmethod
    def update(self, count: int, rows: dict[str, Tensor]) -> None:
        """One update, the `count`-th from 0 on."""


def step(optimiser: torch.optim.Optimizer, loss: Tensor) -> None:
    """One step down."""
    optimiser.zero_grad()
    loss.backward()
    optimiser.step()


class TD3BC(Learner):
    """Fujimoto & Gu 2021, eq. 3 to 5, on TD3 (Fujimoto et al. 2018, algorithm 1)."""

    normalises = True

    def __init__(self, obs: int, action: int, given: dict[str, float], updates: int) -> None:
        super().__init__(obs, action, given, updates)
        self.actor = net([obs, self.width, self.width, action])
        self.slow_actor = copy.deepcopy(self.actor).requires_grad_(False)
        self.critic_step = torch.optim.Adam(self.critic.parameters(), given["lr"])
        self.actor_step = torch.optim.Adam(self.actor.parameters(), given["lr"])

    def mode(self) -> nn.Sequential:
        return self.actor

    def update(self, count: int, rows: dict[str, Tensor]) -> None:
        obs, action, after, n = rows["obs"], rows["action"], rows["next_obs"], self.n
        with torch.no_grad():
            noise = (n["noise"] * torch.randn_like(action)).clamp(-n["noise_clip"], n["noise_clip"])
            there = (torch.tanh(self.slow_actor(after)) + noise).clamp(-1, 1)
            least = self.slow(after, there).min(0).values
            y = rows["reward"] + n["discount"] * rows["mask"] * least
        step(self.critic_step, ((self.critic(obs, action) - y) ** 2).mean(1).sum())
        if (count + 1) % int(n["every"]):
            return
        chosen = torch.tanh(self.actor(obs))
        q = self.critic(obs, chosen)[0]
        scale = n["alpha"] / q.abs().mean().detach()
        step(self.actor_step, -scale * q.mean() + ((chosen - action) ** 2).mean())
        self.follow(self.critic, self.slow)
        self.follow(self.actor, self.slow_actor)


class IQL(Learner):
    """Kostrikov et al. 2022, eq. 5 to 7; the policy's rate falls by a cosine (their code)."""

    normalises = False

    def __init__(self, obs: int, action: int, given: dict[str, float], updates: int) -> None:
        super().__init__(obs, action, given, updates)
        self.value = net([obs, self.width, self.width, 1])
        self.actor = net([obs, self.width, self.width, action])
        self.log_std = nn.Parameter(torch.zeros(action))
        self.critic_step = torch.optim.Adam(self.critic.parameters(), given["lr"])
        self.value_step = torch.optim.Adam(self.value.parameters(), given["lr"])
        self.actor_step = torch.optim.Adam([*self.actor.parameters(), self.log_std], given["lr"])

    def mode(self) -> nn.Sequential:
        return self.actor

    def update(self, count: int, rows: dict[str, Tensor]) -> None:
        obs, action, after, n = rows["obs"], rows["action"], rows["next_obs"], self.n
        with torch.no_grad():
            q = self.slow(obs, action).min(0).values
            next_value = self.value(after).squeeze(-1)
        gap = q - self.value(obs).squeeze(-1)
        side = torch.where(gap > 0, n["expectile"], 1 - n["expectile"])
        step(self.value_step, (side * gap**2).mean())
        y = rows["reward"] + n["discount"] * rows["mask"] * next_value
        step(self.critic_step, ((self.critic(obs, action) - y) ** 2).mean(1).sum())
        weight = torch.exp(n["beta"] * gap.detach()).clamp(max=n["clip"])
        policy = torch.distributions.Normal(
            torch.tanh(self.actor(obs)), self.log_std.clamp(-5, 2).exp()
        )
        for group in self.actor_step.param_groups:
            group["lr"] = n["lr"] * 0.5 * (1 + math.cos(math.pi * count / self.updates))
        step(self.actor_step, -(weight * policy.log_prob(action).sum(-1)).mean())
        self.follow(self.critic, self.slow)


class CalQL(Learner):
    """CQL(H) (Kumar et al. 2020, eq. 4, appendix F) with Cal-QL's bound (Nakamoto et al. 2023,
    eq. 5.1), on SAC without entropy in the target."""

    normalises = False

    def __init__(self, obs: int, action: int, given: dict[str, float], updates: int) -> None:
        super().__init__(obs, action, given, updates)
        self.trunk = net([obs, self.width, self.width])
        self.heads = nn.ModuleList([nn.Linear(self.width, action) for _ in range(2)])
        self.log_alpha = nn.Parameter(torch.zeros(()))
        self.critic_step = torch.optim.Adam(self.critic.parameters(), given["critic_lr"])
        policy = [*self.trunk.parameters(), *self.heads.parameters()]
        self.actor_step = torch.optim.Adam(policy, given["actor_lr"])
        self.alpha_step = torch.optim.Adam([self.log_alpha], given["actor_lr"])

    def mode(self) -> nn.Sequential:
        return nn.Sequential(*self.trunk, nn.ReLU(), self.heads[0])

    def draw(self, obs: Tensor, count: int | None = None) -> tuple[Tensor, Tensor]:
        """Actions of the squashed Gaussian, and their log-densities."""
        features = torch.relu(self.trunk(obs))
        std = self.heads[1](features).clamp(-20, 2).exp()
        base = torch.distributions.Normal(self.heads[0](features), std)
        u = base.rsample(() if count is None else (count,))
        # log(1 - tanh(u)^2), without the loss of digits
        squash = 2 * (math.log(2) - u - nn.functional.softplus(-2 * u))
        return torch.tanh(u), (base.log_prob(u) - squash).sum(-1)

    def update(self, count: int, rows: dict[str, Tensor]) -> None:
        del count
        obs, action, after, n = rows["obs"], rows["action"], rows["next_obs"], self.n
        m = int(n["proposals"])
        with torch.no_grad():
            there, _ = self.draw(after)
            least = self.slow(after, there).min(0).values
            y = rows["reward"] + n["discount"] * rows["mask"] * least
            here, here_density = self.draw(obs, m)
            later, later_density = self.draw(after, m)
            even = torch.rand_like(here) * 2 - 1
        q = self.critic(obs, action)
        places = obs.expand(m, *obs.shape)
        floor = rows["return_to_go"]
        judged = torch.cat(
            [
                self.critic(places, even) + self.action * math.log(2),
                torch.maximum(self.critic(places, here), floor) - here_density,
                torch.maximum(self.critic(places, later), floor) - later_density,
            ],
            1,
        )
        gap = (torch.logsumexp(judged, 1) - q).mean(1).sum()
        step(self.critic_step, ((q - y) ** 2).mean(1).sum() + n["weight"] * gap)
        self.follow(self.critic, self.slow)
        chosen, density = self.draw(obs)
        alpha = self.log_alpha.exp()
        climbed = self.critic(obs, chosen).min(0).values
        step(self.actor_step, (alpha.detach() * density - climbed).mean())
        step(self.alpha_step, -alpha * (density.detach() - self.action).mean())


METHODS: dict[str, type[Any]] = {"td3_bc": TD3BC, "iql": IQL, "cal_ql": CalQL}


def save(path: Path, learner: Learner, mean: Tensor, std: Tensor) -> None:
    """The policy's layers, and how observations are normalised."""
    layers = [layer for layer in learner.mode() if isinstance(layer, nn.Linear)]
    arrays: dict[str, Any] = {"mean": mean.numpy(), "std": std.numpy()}
    for i, layer in enumerate(layers):
        arrays[f"w{i}"], arrays[f"b{i}"] = layer.weight.data.numpy(), layer.bias.data.numpy()
    np.savez(path, **arrays)


def main() -> None:
    """Train, and leave policies on the way."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("method", choices=sorted(METHODS))
    parser.add_argument("rows", type=Path)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--updates", type=int, default=100_000)
    parser.add_argument("--every", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    torch.manual_seed(given.seed)
    torch.set_num_threads(1)
    with np.load(given.rows, allow_pickle=False) as file:
        rows = {name: torch.from_numpy(file[name]) for name in file.files}
    kind = METHODS[given.method]
    numbers = {**SHARED, **NUMBERS[given.method]}
    mean, std = torch.zeros(rows["obs"].shape[1]), torch.ones(rows["obs"].shape[1])
    if kind.normalises:
        mean, std = rows["obs"].mean(0), rows["obs"].std(0) + 1e-3
        for name in ("obs", "next_obs"):
            rows[name] = (rows[name] - mean) / std
    learner = kind(rows["obs"].shape[1], rows["action"].shape[1], numbers, given.updates)
    given.folder.mkdir(parents=True, exist_ok=True)
    for count in range(given.updates):
        drawn = torch.randint(len(rows["obs"]), (int(numbers["batch"]),))
        learner.update(count, {name: column[drawn] for name, column in rows.items()})
        if (count + 1) % given.every == 0 or count + 1 == given.updates:
            save(given.folder / f"policy-{count + 1}.npz", learner, mean, std)
            print(f"{given.method}, seed {given.seed}: {count + 1:,} updates", flush=True)


if __name__ == "__main__":
    main()
