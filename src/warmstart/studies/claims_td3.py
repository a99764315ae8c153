"""Claims of the paper on fine-tuning TD3 (D)."""

from __future__ import annotations

from warmstart.studies.claim import Claim, either, every, fewer, more, most, not_less
from warmstart.studies.leaf import Trend

_SMOOTH = ("hopper-medium",)
_DIVERSITY = ("hopper-medium", "hopper-medium-replay")
_BUDGETS = "ranks of the arms at several numbers of steps"

TD3: tuple[Claim, ...] = (
    Claim(
        "D1", True, "TD3-BC improves more slowly than TD3 when the dataset is kept.", "TD3-C",
        "An area of TD3-BC that is not smaller.",
        "R6", more("area", "td3-kept", "td3_bc-kept"), "td3",
    ),
    Claim(
        "D2", True, "TD3 after TD3-BC collapses at once.", "TD3-C",
        "No dip beyond the noise on most data sets.",
        "R6",
        every(more("dip beyond noise", "td3-kept"), more("dip beyond noise", "td3-dropped")),
        "td3",
    ),
    Claim(
        "D3", True, "The collapse is worse on less diverse data.", "TD3-C",
        "A dip on medium data that is no larger than on medium-replay data.",
        "R6", every(more("dip", "td3-kept"), more("dip", "td3-dropped")), "td3",
        across=_DIVERSITY,
    ),
    Claim(
        "D4", False, "Recovery is slower on less diverse data.", "TD3-C",
        "A recovery on medium data that takes no longer than on medium-replay data.",
        "R6", every(more("steps to recover", "td3-kept"), more("steps to recover", "td3-dropped")),
        "td3", across=_DIVERSITY,
    ),
    Claim(
        "D5", False, "After 200,000 steps TD3 equals or beats TD3-BC, the data kept.", "TD3-C",
        "TD3-BC that ends higher on two sets or more.",
        "R6", not_less("final", "td3-kept", "td3_bc-kept"), "td3",
    ),
    Claim(
        "D6", True, "Offline pre-training beats TD3 from scratch online.", "TD3-C",
        "TD3 from scratch that equals it after as many online steps.",
        "R6",
        every(more("area", "td3-dropped", "scratch"), not_less("final", "td3-dropped", "scratch")),
        "td3",
    ),
    Claim(
        "D7", True,
        "The collapse comes from a critic that is over-optimistic on new states.", "TD3-C",
        "A bias on unfamiliar pairs before the fall that is not positive.",
        "R6", more("unfamiliar bias at the switch", "td3-dropped"), "td3",
    ),
    Claim(
        "D8", False, "It is not special to TD3: CQL, then SAC, collapses too.", "TD3-C",
        "No dip beyond the noise.",
        "R7", more("dip beyond noise", "cql-sac"), "td3-parts",
    ),
    Claim(
        "D9", True, "Without the dataset TD3-BC stays stable and becomes fast.", "TD3-C",
        "A dip beyond the noise, or an area no larger than with the data kept.",
        "R6",
        every(
            not_less("negative dip beyond noise", "td3_bc-dropped"),
            more("area", "td3_bc-dropped", "td3_bc-kept"),
        ),
        "td3",
    ),
    Claim(
        "D10", False, "TD3 on medium data collapses whether the data are kept or not.", "TD3-C",
        "One of the two ways that prevents the dip.",
        "R6",
        every(more("dip beyond noise", "td3-kept"), more("dip beyond noise", "td3-dropped")),
        "td3", _SMOOTH,
    ),
    Claim(
        "D11", False,
        "With the data dropped TD3-BC equals or beats TD3 on about six of eight sets, not on "
        "HalfCheetah.",
        "TD3-C", "Fewer than five of eight sets, or HalfCheetah among them.",
        "R6", unable="counts over eight data sets of four robots; the study's tasks are two of "
        "them",
    ),
    Claim(
        "D12", False, "Dropping the data also lifts TD3's final score.", "TD3-C",
        "A final score that is not higher on most sets.",
        "R6", more("final", "td3-dropped", "td3-kept"), "td3",
    ),
    Claim(
        "D13", False, "On Walker2d medium-replay TD3 collapses only without the data.", "TD3-C",
        "A collapse in both or in neither.",
        "R6",
        every(
            more("dip beyond noise", "td3-dropped"),
            more("dip", "td3-dropped", "td3-kept"),
        ),
        "td3", ("walker2d-medium-replay",),
    ),
    Claim(
        "D14", True,
        "A fixed offline share does not save TD3; TD3-BC stays stable and gains from a smaller "
        "share.",
        "TD3-C", "A share that removes TD3's dip, or TD3-BC that does not gain from a smaller one.",
        "R6",
        every(
            more("dip beyond noise", "td3-share-10"),
            more("dip beyond noise", "td3-share-50"),
            not_less("negative dip beyond noise", "td3_bc-share-10"),
            more("area", "td3_bc-dropped", "td3_bc-share-50"),
        ),
        "td3",
    ),
    Claim(
        "D15", False,
        "A large pre-filled buffer crowds out new rows and delays learning from them.", "TD3-C",
        "An area that does not fall with the size of the data.",
        "R7", unable="compares sizes of one dataset, which are tasks here",
    ),
    Claim(
        "D16", False,
        "Prioritised mixing does not prevent the collapse while the objective lets errors through.",
        "TD3-C", "Balanced replay that removes the dip.",
        "R7", more("dip beyond noise", "td3-balanced"), "td3-parts",
    ),
    Claim(
        "D17", False, "Without offline rows the learner forgets what bad actions led to.", "TD3-C",
        "Ranks of bad and good logged actions that stay as good.",
        "R6", unable="ranks logged actions by value, which no run measures",
    ),
    Claim(
        "D18", True, "TD3-C is steadier than TD3, the data kept or dropped.", "TD3-C",
        "A dip that is no smaller.",
        "R6",
        every(
            fewer("dip", "td3_c-kept", "td3-kept"), fewer("dip", "td3_c-dropped", "td3-dropped")
        ),
        "td3",
    ),
    Claim(
        "D19", False, "Its benefit is larger without offline data.", "TD3-C",
        "A difference in dip that is no larger with the data dropped.",
        "R6",
        more("dip", "td3-dropped", "td3_c-dropped", beside=("td3-kept", "td3_c-kept")), "td3",
    ),
    Claim(
        "D20", True, "TD3-C improves faster than TD3-BC.", "TD3-C",
        "An area that is no larger with the data kept.",
        "R6", more("area", "td3_c-kept", "td3_bc-kept"), "td3",
    ),
    Claim(
        "D21", False, "TD3-C can still collapse with the data in the buffer (Ant, medium).",
        "TD3-C", "No seed that collapses.",
        "R6", unable="is about single seeds on Ant, and a verdict here is about the middle of "
        "several",
    ),
    Claim(
        "D22", True,
        "Plain and conservative TD3 fine-tuning beat ODT and IQL, in score and in gain.", "TD3-C",
        "ODT or IQL that equals them.",
        "R8",
        every(
            *(
                more(m, ours, theirs)
                for m in ("final", "gain")
                for ours in ("td3", "td3_c")
                for theirs in ("odt", "iql")
            )
        ),
        "others",
    ),
    Claim(
        "D23", False, "Better offline scores do not explain that.", "TD3-C",
        "A gain that vanishes among methods of equal score before.",
        "R8", unable="is a regression over methods; the table of study others has its numbers",
    ),
    Claim(
        "D24", True, "A critic that saw good and bad actions keeps fine-tuning stable.", "TD3-C",
        "Equal dips of critics fitted on medium, medium-replay, and medium with random rows.",
        "R7", unable="fits critics of one cloned actor on three data sets; a pre-training here has "
        "one",
    ),
    Claim(
        "D25", False, "Conservative policy steps also steady other methods.", "TD3-C",
        "No smaller dip where there is one.",
        "R7", fewer("dip", "cql-sac-trust", "cql-sac"), "td3-parts",
    ),
    Claim(
        "D26", True, "Which method wins depends on how many online steps are allowed.", "TD3-C",
        "Ranks of TD3, TD3-BC and TD3-C that stay the same.",
        "R6",
        either(
            *(
                every(more("score at 5,000", a, b), more("final", b, a))
                for a, b in (
                    ("td3_bc-dropped", "td3-dropped"), ("td3_c-dropped", "td3-dropped"),
                    ("td3_c-dropped", "td3_bc-dropped"), ("td3_bc-dropped", "td3_c-dropped"),
                )
            )
        ),
        "td3",
    ),
    Claim(
        "D27", False, "Stability and speed of improvement trade off.", "TD3-C",
        "One setting of the constraint that is best in both.",
        "R6",
        either(
            every(
                Trend("dip", ("td3_bc-double-weight", "td3_bc-dropped", "td3_bc-half-weight")),
                Trend("area", ("td3_bc-double-weight", "td3_bc-dropped", "td3_bc-half-weight")),
            ),
            every(
                Trend("dip", ("td3_c-small-radius", "td3_c-dropped", "td3_c-large-radius")),
                Trend("area", ("td3_c-small-radius", "td3_c-dropped", "td3_c-large-radius")),
            ),
        ),
        "td3",
    ),
    Claim(
        "D28", False, "Bounding dQ/da steadies training.", "TD3-C", "No smaller dip with it.",
        "R7",
        every(fewer("dip", "td3-clip", "td3"), fewer("dip", "td3_c", "td3_c-no-clip")),
        "td3-parts",
    ),
    Claim(
        "D29", False, "The network of LayerNorm, tanh and ELU beats TD3's plain one online.",
        "TD3-C", "An area that is no larger.",
        "R7", more("area", "td3", "relu-td3"), "td3-parts",
    ),
    Claim(
        "D30", False, "Scaling observations is not needed for TD3-BC.", "TD3-C",
        "Scores without it that are lower.",
        "R7",
        every(
            not_less("before", "relu-td3_bc", "scaled-td3_bc"),
            not_less("final", "relu-td3_bc", "scaled-td3_bc"),
        ),
        "td3-parts",
    ),
    Claim(
        "D31", False, "TD3-BC does not collapse.", "TD3-C",
        "A dip beyond the noise on two sets or more.",
        "R6",
        every(
            not_less("negative dip beyond noise", "td3_bc-kept"),
            not_less("negative dip beyond noise", "td3_bc-dropped"),
        ),
        "td3",
    ),
    Claim(
        "D32", False,
        "Changing only the online learner or the buffer's start rivals elaborate methods.",
        "TD3-C", "An elaborate method that beats both simple ones.",
        "R8",
        every(
            *(
                either(not_less("final", "td3", m), not_less("final", "td3_bc", m))
                for m in ("off2on", "pex", "adaptive_bc")
            )
        ),
        "others",
    ),
    Claim(
        "D33", False,
        "Neither keeping everything nor nothing is best; something between is.", "TD3-C",
        "One of the ends that wins everywhere.",
        "R1",
        most(
            *(
                every(
                    more("area", f"{m}-anneal-20k", f"{m}-share-0"),
                    more("area", f"{m}-anneal-20k", f"{m}-append"),
                )
                for m in ("iql", "cql", "cal_ql")
            )
        ),
        "retention",
    ),
)  # fmt: skip
