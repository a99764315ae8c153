"""Floor 5: the table of methods; each is a file of five answers."""

from warmstart.methods import cal_ql, cql, iql, redq, rlpd, sac, td3, td3_bc, wsrl

METHODS = {
    "cal_ql": cal_ql,
    "cql": cql,
    "iql": iql,
    "redq": redq,
    "rlpd": rlpd,
    "sac": sac,
    "td3": td3,
    "td3_bc": td3_bc,
    "wsrl": wsrl,
}

__all__ = ["METHODS"]
