"""Claims of the survey's methods (E)."""

from __future__ import annotations

from warmstart.studies.claim import Claim, either, equal, every, fewer, more, not_less

_LATER = "asks for a part that no method here has"

SURVEY_CLAIMS: tuple[Claim, ...] = (
    Claim(
        "E1", True,
        "Imitation does not improve online, a policy constraint is slow, value pessimism drops "
        "first.",
        "survey", "One of the three patterns absent.",
        "R9",
        every(
            equal("gain", "bc"),
            more("area", "decay", "td3_bc"),
            more("dip beyond noise", "cql"),
        ),
        "survey",
    ),
    Claim(
        "E2", False, "Adaptive cloning is as steady as a fixed weight and as fast as none.",
        "survey", "A dip like that of weight 0, or an area like that of weight 0.4.",
        "R9",
        every(
            fewer("dip", "adaptive", "adaptive-zero"), more("area", "adaptive", "adaptive-fixed")
        ),
        "survey",
    ),
    Claim(
        "E3", True, "Refinement with frozen critics lifts the offline score.", "survey",
        "No gain over as many further updates, nor over the smaller weight from the start.",
        "R9",
        every(
            more("before", "refined-pre", "further-pre"),
            more("before", "refined-pre", "weak-pre"),
        ),
        "survey", room=False,
    ),
    Claim(
        "E4", False,
        "A decaying weight lifts the score online without a dip; refined first, it ends highest.",
        "survey", "No gain over a constant weight, or a dip.",
        "R9",
        every(
            more("final", "decay", "constant"),
            not_less("final", "refined-decay", "decay"),
            not_less("negative dip beyond noise", "decay"),
        ),
        "survey",
    ),
    Claim(
        "E5", False,
        "Keeping the old policy beside a new one avoids the dip and passes the old score.",
        "survey", "A dip or an area no better than those of direct fine-tuning.",
        "R9",
        every(fewer("dip", "pex", "pex-direct"), more("area", "pex", "pex-direct")), "survey",
    ),
    Claim(
        "E6", False, "Preferring near-on-policy offline rows is safer and faster than uniform.",
        "survey", "Uniform replay that equals it.",
        "R9",
        either(fewer("dip", "off2on", "off2on-uniform"), more("area", "off2on", "off2on-uniform")),
        "survey",
    ),
    Claim(
        "E7", False, "The ratio network measures how online a row is.", "survey",
        "Ranks under 0.7, or a ratio off by two where both densities are known.",
        "R10", unable="is a probe of two Gaussians with an exact ratio, not a run",
    ),
    Claim(
        "E8", False, "The ensemble of pessimistic agents prevents the collapse.", "survey",
        "A dip of five agents no smaller than of one.",
        "R9", unable="one agent and five differ in what was pre-trained, so that no two arms have "
        "one start",
    ),
    Claim(
        "E9", False, "Subtracting the ensemble's deviation helps, and a small weight is best.",
        "survey", "A weight of 0 that equals the best, or 0.1 that is best.",
        "R9", unable="its small weight is not readable in our sources",
    ),
    Claim(
        "E10", True,
        "Pessimism on offline rows alone beats pessimism on all rows and on none.", "survey",
        "A gate that loses to either.",
        "R9",
        every(
            *(
                more("area", m, f"{m}-{other}")
                for m in ("gcql", "gctd3bc")
                for other in ("all", "none")
            )
        ),
        "survey",
    ),
    Claim(
        "E11", False,
        "REDQ pre-trained without pessimism is worse than REDQ from scratch.", "survey",
        "A final score that is not lower.",
        "R9", fewer("final", "redq-offline", "redq-scratch"), "survey", room=False,
    ),
    Claim(
        "E12", False,
        "A function of the state alone, added to Q, leaves the best maximum-entropy policy as it "
        "is.",
        "survey", "Any difference in float64.",
        "R10", unable="is an identity in closed form, not a run",
    ),
    Claim(
        "E13", False, "Rebuilding the critic from the policy removes the drop.", "survey",
        "A dip no smaller than with the original critic.",
        "R9", fewer("dip", "aca", "aca-original"), "survey",
    ),
    Claim(
        "E14", False, "ACA needs no offline data.", "survey",
        "A difference beyond the smallest effect between none and the best trajectories.",
        "R9", equal("final", "aca", "aca-top"), "survey",
    ),
    Claim(
        "E15", False,
        "Fading priorities and a reward penalty make model-based fine-tuning work.", "survey",
        "Uniform sampling and no penalty that both equal them.",
        "R9", unable="a model-based arm costs about ten times the others; the study leaves it out",
    ),
    Claim(
        "E16", True,
        "A good method scores on three demands together: offline, at the start, soon at the top.",
        "survey", "Columns that rank the methods alike.",
        "R2", unable="is a definition, tried by whether three columns rank methods differently; "
        "ranks within a seed do so by noise alone, and a start bounds its own fall",
    ),
    Claim(
        "E17", False, "More efficient online learners or an added reward help.", "survey",
        "No gain in area.",
        "R3", more("area", "online-simba", "from-cal_ql"), "swaps",
    ),
    Claim(
        "E18", False, "Uncertainty should set update weights, sampling and update ratio.",
        "survey", "No gain in area at equal updates.", "R9", unable=_LATER,
    ),
    Claim(
        "E19", False, "On-policy learners can take over from offline ones.", "survey",
        "A score that never passes the one before.", "R9", unable=_LATER,
    ),
    Claim(
        "E20", False, "Model rollouts by policies of several confidences help.", "survey",
        "No gain in area.", "R9", unable=_LATER,
    ),
)  # fmt: skip
