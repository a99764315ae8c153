"""Claims on pessimism, calibration and learning from both kinds of rows (C)."""

from __future__ import annotations

from warmstart.studies.claim import Claim, either, every, fewer, more, not_less

VALUES: tuple[Claim, ...] = (
    Claim(
        "C1", False,
        "Plain off-policy learning on a fixed set over-estimates badly; the minimum of two critics "
        "cures that online, not offline.",
        "slides, TD3-C", "A bias offline under a tenth of the range, or online no smaller.",
        "R5",
        every(
            *(more("last bias", f"{m}-offline") for m in ("sac", "td3")),
            *(fewer("last bias", f"{m}-online", f"{m}-offline") for m in ("sac", "td3")),
        ),
        "offline", room=False,
    ),
    Claim(
        "C2", False,
        "CQL removes the over-estimation and acts better than plain SAC offline.",
        "slides", "A bias that stays as it was, or no gain in score.",
        "R5",
        every(
            fewer("last bias", "cql-offline", "sac-offline"),
            more("before", "cql-offline", "sac-offline"),
        ),
        "offline", room=False,
    ),
    Claim(
        "C3", True, "CQL, keeping its data, first unlearns when fine-tuned.", "slides, survey",
        "No dip below what the frozen policy scores by chance.",
        "R1",
        every(
            more("dip beyond noise", "cql-share-50"), more("dip beyond noise", "cql-append")
        ),
        "retention",
    ),
    Claim(
        "C4", False,
        "The reason is too small values that must rise; bad actions look best meanwhile.",
        "slides", "No negative bias at the switch, or a ranking of actions that does not worsen.",
        "R1", unable="ranks eight actions in states that are reset to, which no run measures",
    ),
    Claim(
        "C5", True, "Calibration removes most of that drop and learns faster.", "slides, survey",
        "Neither a smaller dip nor a larger area than CQL's.",
        "R1",
        either(
            fewer("dip", "cal_ql-share-50", "cql-share-50"),
            more("area", "cal_ql-share-50", "cql-share-50"),
        ),
        "retention",
    ),
    Claim(
        "C6", False, "Cal-QL's values stay above the data's returns and nearer to the truth.",
        "slides, survey",
        "More than a tenth of the values under the bound, or a bias no nearer to 0 than CQL's.",
        "R5", unable="the share of values under the bound is logged in training alone, and not of "
        "CQL, which has no bound",
    ),
    Claim(
        "C7", True, "RLPD from scratch beats pre-trained methods that keep their data.", "slides",
        "RLPD below Cal-QL with half of each batch, in area and at the end.",
        "R2",
        either(more("area", "rlpd", "cal_ql-half"), more("final", "rlpd", "cal_ql-half")),
        "wsrl",
    ),
    Claim(
        "C8", False, "A replay ratio of 4 is for sample efficiency.", "slides",
        "A ratio of 4 no faster than 1.",
        "R4", fewer("steps to 50", "ratio-4", "ratio-1"), "rlpd", room=False,
    ),
    Claim(
        "C9", False, "LayerNorm reduces over-estimation.", "slides", "No smaller bias with it.",
        "R4", fewer("early bias", "base", "no-layer-norm"), "rlpd", room=False,
    ),
    Claim(
        "C10", False, "The ensemble of ten critics reduces over-estimation.", "slides",
        "No smaller bias with ten critics than with two.",
        "R4", fewer("early bias", "ten-critics", "two-critics"), "rlpd", room=False,
    ),
    Claim(
        "C11", False, "Offline rows help most early.", "slides",
        "No gain in early area by half of each batch.",
        "R4", more("early area", "base", "share-0"), "rlpd", room=False,
    ),
    Claim(
        "C12", False,
        "SAC given the data fails on long sparse mazes, yet can solve binary hand tasks.",
        "survey", "A maze that it solves, or an arm's task that it fails.",
        "R13", unable="says one thing of mazes and the opposite of arms; a verdict here asks the "
        "same of every task",
    ),
    Claim(
        "C13", False,
        "On sparse tasks Cal-QL gains most and ends highest; IQL and CQL follow; SAC is near 0.",
        "survey", "Another method that ends higher.",
        "R13",
        every(
            *(not_less("final", "cal_ql", m) for m in ("iql", "cql", "o3f", "sac", "sac-data")),
            *(not_less("final", m, "sac") for m in ("iql", "cql")),
        ),
        "sparse-table", room=False,
    ),
    Claim(
        "C14", False,
        "Optimistic action choice does well on middle mazes and destroys the policy on large ones.",
        "survey", "A score that is kept on the large maze.",
        "R13", unable="says one thing of the middle maze and the opposite of the large one; parts "
        "of the method's settings are not published",
    ),
    Claim(
        "C15", False, "CQL fine-tuned on locomotion improves only slightly.", "TD3-C",
        "A gain of CQL that equals SAC's from the same critics.",
        "R8", more("gain", "cql_sac", "cql"), "others",
    ),
)  # fmt: skip
