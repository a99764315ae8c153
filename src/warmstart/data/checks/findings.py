"""Every finding by its stable name: how bad it can be, what it means, what to do.

docs/data.md holds the same lines; a test compares the two.
"""

from __future__ import annotations

from warmstart.data.checks.about_columns import COLUMNS
from warmstart.data.checks.about_episodes import EPISODES
from warmstart.data.checks.issue import Issue

ENVIRONMENT: dict[str, Issue] = {
    # mazes
    "place-coverage": Issue(
        "note",
        "How many free cells of the maze the data visit.",
        "Nothing to do; what was never visited has to be explored online.",
    ),
    "goal-never-reached": Issue(
        "warning",
        "No row comes within the goal's radius.",
        "Add episodes that reach the goal, or expect to explore for it online.",
    ),
    "rows-in-walls": Issue(
        "error",
        "Positions lie inside the walls of this maze: the data are from another one.",
        "Use the maze that the data were logged in.",
    ),
    # against the environment
    "not-replayable": Issue(
        "note",
        "The environment's state cannot be set from an observation, so rewards and dynamics were "
        "not compared with its own.",
        "Nothing to do; compare the returns with those that you know.",
    ),
    "replayed": Issue(
        "note",
        "A sample of rows was replayed: state set, action taken, answer compared.",
        "Nothing to do.",
    ),
    "other-dynamics": Issue(
        "warning",
        "The environment answers with other next observations than the data hold.",
        "Check version, physics, frame skip, action box and keyword arguments of the environment.",
    ),
    "reward-sign": Issue(
        "error",
        "The rewards are the environment's with the opposite sign: costs, perhaps.",
        "Multiply the rewards of the data by -1.",
    ),
    "reward-scale": Issue(
        "warning",
        "The rewards are the environment's on another scale: what is learnt offline will not fit "
        "what comes online. --reward-scale and --reward-bias change both alike and do not help.",
        "Bring the rewards of the data to the scale of the environment.",
    ),
    "reward-differs": Issue(
        "warning",
        "The environment gives other rewards for the same rows.",
        "Use the keyword arguments that the data were logged with, or relabel their rewards.",
    ),
    "reward-timing": Issue(
        "warning",
        "The rewards fit the environment's one row later or earlier: they belong to s, not to s' "
        "(late), or were shifted.",
        "Move the rewards by one row inside each episode.",
    ),
    "terminals-differ": Issue(
        "warning",
        "The environment ends other rows than those that the data mark as terminated.",
        "Mark as terminated what the environment terminates, and nothing else.",
    ),
}

ISSUES: dict[str, Issue] = {**COLUMNS, **EPISODES, **ENVIRONMENT}
"""In the order in which the documentation lists them."""
