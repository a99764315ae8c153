"""What the help shows before it lists options."""

from __future__ import annotations

ABOUT = """Offline-to-online reinforcement learning: start good from logged data, get better online.

Examples:
  warmstart list methods                          what can be run
  warmstart show wsrl                             what a method does, and its numbers
  warmstart run wsrl pointmaze-large --seeds 0,1  pre-train, switch, fine-tune, report
  warmstart COMMAND --help                        every option, with examples"""

EXAMPLES: dict[str, tuple[str, ...]] = {
    "run": (
        "run wsrl pointmaze-large --seeds 0,1",
        "run cal_ql pointmaze-umaze --steps 5000 --set replay.source.share=0.25 --frozen",
        "run td3_bc --env Hopper-v5 --data my.hdf5 --reference 0,3000",
        "run cal_ql --env Pendulum-v1 --data a.csv --columns obs=x_*,action=u,reward=r,done=never",
        "run my_method.py:recipe pointmaze-umaze",
    ),
    "pretrain": (
        "pretrain cal_ql pointmaze-large --seeds 0,1 --name before",
        "finetune wsrl --from runs/before",
        "finetune cal_ql --from runs/before",
    ),
    "finetune": ("finetune wsrl --from runs/before --steps 20000",),
    "resume": ("resume runs/before",),
    "evaluate": (
        "evaluate runs/before --episodes 100",
        "evaluate runs/before --best --json",
    ),
    "report": ("report runs/a", "report runs/a runs/b --out compared"),
    "export": (
        "export runs/before --to my-policy",
        "export runs/before --to my-policy --seed 0 --best --license mit",
    ),
    "serve": ("serve my-policy", "serve my-policy other-policy --port 8100"),
    "learner": (
        "learner wsrl --env my_arm.py:Arm-v0 --data my.hdf5 --horizon 200 --name arm",
        "learner runs/arm",
        "learner runs/before --listen 127.0.0.1:8300 --intervened-share 0.25",
    ),
    "actor": (
        "actor --connect 127.0.0.1:8200 --env my_arm.py:Arm-v0 --go",
        "actor --connect 127.0.0.1:8200 --env my_arm.py:Arm-v0 --rate 0.2 --guard my_arm.py:guard",
    ),
    "list": ("list methods", "list tasks navigation", "list tasks cube-single --json"),
    "show": ("show wsrl", "show wsrl --preset quick"),
    "check": ("check my_method.py:recipe --preset quick",),
    "study": (
        "study list",
        "study show wsrl",
        "study run wsrl --arms wsrl,no-warmup --tasks metaworld-door-open --workers 2",
        "study run my_study.py:STUDY --on ray",
        "study report wsrl",
        "study verdicts --json",
    ),
    "data": (
        "data make pointmaze-large",
        "data info my.hdf5",
        "data check pointmaze-large",
        "data check my.hdf5 --env Hopper-v5 --figure my.png",
        "data convert my.hdf5 --env Hopper-v5 --out hopper-data",
        "data convert hopper-data --env Hopper-v5 --minari own/hopper-v0",
    ),
}
"""Each command's own, without the word `warmstart` before them."""
