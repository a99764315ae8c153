"""One update of SAC and of TD3-BC, written down plainly in float64 NumPy: no autodiff.

Networks have one ReLU layer. Gradients are worked out by hand; random draws are given.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

N = np.ndarray
Net = dict[str, N]


def dense(trunk: Any, head: Any) -> Net:
    """One hidden layer and a linear head, as float64."""
    f = {"w": trunk.first.weight, "b": trunk.first.bias, "v": head.weight, "c": head.bias}
    return {name: np.asarray(x, np.float64) for name, x in f.items()}


def forward(net: Net, x: N) -> tuple[N, N]:
    """Output [B, out] and hidden layer [B, H]."""
    h = np.maximum(x @ net["w"] + net["b"], 0.0)
    return h @ net["v"] + net["c"], h


def backward(net: Net, x: N, h: N, out: N) -> tuple[Net, N]:
    """Gradients of the parameters and of x, from the gradient `out` of the output."""
    inner = (out @ net["v"].T) * (h > 0)
    grads = {"w": x.T @ inner, "b": inner.sum(0), "v": h.T @ out, "c": out.sum(0)}
    return grads, inner @ net["w"].T


@dataclass
class Adam:
    """Kingma & Ba 2015, algorithm 1."""

    lr: float
    m: Net = field(default_factory=dict)
    s: Net = field(default_factory=dict)
    t: int = 0

    def step(self, net: Net, grads: Net) -> Net:
        self.t += 1
        new = {}
        for name, g in grads.items():
            self.m[name] = 0.9 * self.m.get(name, 0.0) + 0.1 * g
            self.s[name] = 0.999 * self.s.get(name, 0.0) + 0.001 * g**2
            m, s = self.m[name] / (1 - 0.9**self.t), self.s[name] / (1 - 0.999**self.t)
            new[name] = net[name] - self.lr * m / (np.sqrt(s) + 1e-8)
        return new


def critic_step(nets: list[Net], adams: list[Adam], obs: N, action: N, target: N) -> list[Net]:
    """Each member on the mean over ensemble and batch of (Q - y)^2."""
    x, new = np.concatenate([obs, action], -1), []
    for net, adam in zip(nets, adams, strict=True):
        q, h = forward(net, x)
        out = 2 * (q - target[:, None]) / (len(nets) * len(q))
        new.append(adam.step(net, backward(net, x, h, out)[0]))
    return new


def slow(targets: list[Net], nets: list[Net], tau: float) -> list[Net]:
    """Polyak averages."""
    pairs = zip(targets, nets, strict=True)
    return [{k: tau * n[k] + (1 - tau) * t[k] for k in t} for t, n in pairs]


def q_values(nets: list[Net], obs: N, action: N) -> N:
    """[E, B]."""
    x = np.concatenate([obs, action], -1)
    return np.stack([forward(net, x)[0][:, 0] for net in nets])


def q_slope(nets: list[Net], obs: N, action: N, weight: N) -> N:
    """d sum_ib weight[i, b] Q_i(s_b, a_b) / d a_b, [B, A]."""
    x, total = np.concatenate([obs, action], -1), 0.0
    for net, w in zip(nets, weight, strict=True):
        _, h = forward(net, x)
        total = total + backward(net, x, h, w[:, None])[1]
    return np.asarray(total)[:, obs.shape[1] :]


def squashed(mean: N, log_std: N, noise: N) -> tuple[N, N, N]:
    """Action, log-density and pre-squash value of tanh(mean + std noise)."""
    u = mean + np.exp(log_std) * noise
    a = np.tanh(u)
    normal = -0.5 * noise**2 - log_std - 0.5 * np.log(2 * np.pi)
    return a, (normal - np.log(1 - a**2)).sum(-1), u
