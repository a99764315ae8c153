"""README.md of an exported policy, with the front matter that the Hub reads."""

from __future__ import annotations

import json
import math
from typing import Any

from warmstart.policy.graph import input_name


def readme(card: dict[str, Any]) -> str:
    """The page of an exported policy's card."""
    told = card["exported"]
    name = f"{card['method']} on {card['task']}" if card.get("task") else card["method"]
    parts = [
        _front_matter(card, name),
        f"# {name}",
        _about(card),
        _score(card),
        "## To act\n\n" + _usage(card),
        "## What it observes and does\n\n" + _spaces(card),
        "## Where it comes from\n\n" + _origin(card),
    ]
    if told["cite"]:
        cited = "\n".join(f"- {paper}" for paper in told["cite"])
        parts.append(f"## To cite\n\nThe method:\n\n{cited}")
    return "\n\n".join(part for part in parts if part) + "\n"


def _front_matter(card: dict[str, Any], name: str) -> str:
    """YAML, of which JSON's strings and numbers are a part."""
    told = card["exported"]
    tags = ["reinforcement-learning", "offline-to-online", "warmstart", card["method"]]
    tags += [card["task"]] if card.get("task") else []
    lines = ["---", "library_name: warmstart", "pipeline_tag: reinforcement-learning"]
    lines += [f"license: {json.dumps(told['license'])}"] if told["license"] else []
    lines += ["tags:", *(f"- {json.dumps(tag)}" for tag in dict.fromkeys(tags))]
    score = told["score"]
    if score is not None and card.get("task"):
        lines += [
            "model-index:",
            f"- name: {json.dumps(name)}",
            "  results:",
            "  - task:",
            "      type: reinforcement-learning",
            "      name: reinforcement-learning",
            "    dataset:",
            f"      name: {json.dumps(card['task'])}",
            f"      type: {json.dumps(card['task'])}",
            "    metrics:",
            f"    - type: {_metric(card)}",
            f"      value: {score['value']:.6g}",
            f"      name: {json.dumps(card['score_label'])}",
            "      verified: false",
        ]
    return "\n".join([*lines, "---"])


def _metric(card: dict[str, Any]) -> str:
    label = card["score_label"]
    return "success_rate" if "success" in label else "mean_reward" if "return" in label else "score"


def _about(card: dict[str, Any]) -> str:
    told = card["exported"]
    title = f": {told['title']}" if told["title"] else ""
    said = [f"A policy learnt with `warmstart` by `{card['method']}`{title}"]
    if told["task"] is not None and told["task"]["description"]:
        said.append(f"The task: {told['task']['description']}")
    return " ".join(_sentence(text) for text in said)


def _sentence(text: str) -> str:
    return text if text.endswith((".", ":")) else text + "."


def _score(card: dict[str, Any]) -> str:
    score = card["exported"]["score"]
    if score is None:
        return "At this checkpoint the policy was not evaluated."
    low, high = score["interval"]
    text = (
        f"**{card['score_label']}: {score['value']:.1f}** [{low:.1f}, {high:.1f}] over "
        f"{score['episodes']} episodes of seed {card['seed']} (95 % interval: {score['by']})"
    )
    seeds = score["seeds"]
    if seeds is not None:
        low, high = seeds["interval"]
        text += (
            f"; mean of the run's {len(seeds['values'])} seeds {seeds['mean']:.1f} [{low:.1f}, "
            f"{high:.1f}]"
        )
    return text + ". It was measured by the run itself, and nobody else."


_CALLS = {
    "observation": "action = policy.act(obs)  # in the environment's own units",
    "episode": "state = None  # at an episode's start\n"
    "action, state = policy.predict(obs, state)  # in the environment's own units",
    "rewards": "state, reward = None, None  # at an episode's start\n"
    "action, state = policy.predict(obs, state, reward=reward)  # what the last step paid",
}
"""By what the policy acts on."""


def _usage(card: dict[str, Any]) -> str:
    told = card["exported"]
    load = 'import warmstart as ws\n\npolicy = ws.load_policy("this/folder")'
    text = f"```python\n{load}\n{_CALLS[told['acts_on']]}\n```\n\n"
    others = " and ONNX Runtime" if _runs_onnx(card) else ""
    text += f"That needs NumPy and safetensors{others}, and no JAX."
    onnx = told["onnx"]
    if onnx is not None:
        names = ", ".join(f"`{name}`" for name in onnx["inputs"])
        kind = onnx["type"] + (", images uint8" if onnx.get("images") else "")
        text += (
            f"\n\n`{onnx['file']}` takes {names} ({kind}, a batch) and gives `action`, "
            "with statistics, squashing and action box inside."
        )
    return text


def _runs_onnx(card: dict[str, Any]) -> bool:
    base = card.get("base")
    return base is not None and (base["is"] == "onnx" or _runs_onnx(base["card"]))


def _spaces(card: dict[str, Any]) -> str:
    rows = ["| | shape | type | low | high | names, units |", "|---|---|---|---|---|---|"]
    at = 0
    named = card["observation"].get("numbers")
    for part in card["observation"]["parts"]:
        size = math.prod(part["shape"])
        what = f"observation `{input_name(tuple(part['path']))}`"
        rows.append(_row(what, part, named[at : at + size] if named else None))
        at += size
    rows.append(_row("action", card["action"], card["action"].get("numbers")))
    return "\n".join(rows)


def _row(what: str, part: dict[str, Any], named: list[dict[str, Any]] | None) -> str:
    sides = [_side(part.get(name)) for name in ("low", "high")]
    names = ", ".join(_number(each) for each in named or ())
    return (
        f"| {what} | {part['shape']} | {part.get('dtype', 'float32')} | {sides[0]} | {sides[1]} "
        f"| {names.replace('|', '&#124;')} |"
    )


def _side(values: Any) -> str:
    """Bounds, shortly."""
    if values is None:
        return ""
    held = list(dict.fromkeys(values))
    if len(held) > 4:
        return "differ"
    return ", ".join("none" if v is None else f"{v:g}" for v in held)


def _number(each: dict[str, Any]) -> str:
    return each["name"] + (f" [{each['unit']}]" if each["unit"] else "")


def _origin(card: dict[str, Any]) -> str:
    told, step = card["exported"], card.get("step") or {}
    preset = f", numbers of `{card['preset']}`" if card.get("preset") else ""
    lines = [f"- method: `{card['method']}`{preset}"]
    if told["task"] is not None:
        env_id, horizon = told["task"]["env_id"], told["task"]["horizon"]
        where = f", environment `{env_id}`" if env_id else ""
        limit = f", at most {horizon:,} steps" if horizon else ""
        lines.append(f"- task: `{card['task']}`{where}{limit}")
    if base := card.get("base"):
        lines.append(f"- it corrects `{base['name']}`, which is part of this folder")
    lines.append(f"- logged data: {told['data'] or 'none, or not known'}")
    if step:
        online = step["phase"] in ("online", "done")
        after = f"{step['env_steps']:,} steps online, " if online else "pre-trained, "
        lines.append(f"- seed {card['seed']}: {after}{step['updates']:,} updates in this phase")
    parity = told["parity"]
    differ = f"NumPy and JAX differ by {parity['numpy']:.1e}"
    if parity["onnx"] is not None:
        differ += f", ONNX and NumPy by {parity['onnx']:.1e}"
    lines.append(
        f"- on {parity['observations']:,} observations {differ} at most, on the scale of [-1, 1]"
    )
    versions = card.get("versions") or {}
    shown = [f"{k} {versions[k]}" for k in ("warmstart", "jax", "numpy") if k in versions]
    lines.append(f"- trained with {', '.join(shown) or 'unknown versions'}")
    return "\n".join(lines)
