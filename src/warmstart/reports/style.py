"""How the page looks: one style sheet, for light and dark screens, phones and paper.

The light values of the figures' colours are those of `render.PALETTE`.
"""

from __future__ import annotations

from warmstart.files.render import PALETTE

DARK = {
    "ink": "#e8ecef",
    "muted": "#9aa7b2",
    "rule": "#36414b",
    "shade": "#20272e",
    "warmup": "#4a3d1f",
    "c0": "#6fb1ec",
    "c1": "#f0906c",
    "c2": "#5fc4a2",
    "c3": "#c39ae0",
    "c4": "#dcb654",
    "c5": "#ee86b3",
    "c6": "#86c9e2",
    "c7": "#b9bb72",
}


def _variables(colors: dict[str, str]) -> str:
    return " ".join(f"--{name}: {value};" for name, value in colors.items())


CSS = f"""
:root {{
  color-scheme: light dark;
  --paper: #ffffff; --card: #f7f9fa; {_variables(PALETTE)}
  --sans: system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", "DejaVu Sans", sans-serif;
  --mono: ui-monospace, "SF Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace;
}}
@media screen and (prefers-color-scheme: dark) {{
  :root {{ --paper: #161b20; --card: #1d242a; {_variables(DARK)} }}
}}
* {{ box-sizing: border-box; }}
body {{
  margin: 0; background: var(--paper); color: var(--ink);
  font: 16px/1.55 var(--sans); -webkit-text-size-adjust: 100%;
}}
main {{ max-width: 980px; margin: 0 auto; padding: 3rem 1.25rem 4rem; }}
.eyebrow {{ color: var(--muted); font-size: .85rem; letter-spacing: .04em; margin: 0; }}
h1 {{ font-size: 2rem; line-height: 1.2; margin: .15rem 0 .4rem; font-weight: 650; }}
h2 {{ font-size: 1.2rem; margin: 2.8rem 0 .7rem; font-weight: 620; }}
p {{ margin: .5rem 0; max-width: 46rem; }}
.lead {{ font-size: 1.1rem; margin-top: 1rem; }}
.warnings {{ border-left: 4px solid var(--c1); margin: 1.5rem 0 0; padding: .2rem 1rem .2rem 2rem;
  max-width: 46rem; }}
.muted, figcaption {{ color: var(--muted); font-size: .9rem; }}
.tiles {{ display: grid; grid-template-columns: repeat(auto-fit, minmax(9.5rem, 1fr));
  gap: .75rem; margin: 1.5rem 0 0; padding: 0; }}
.tiles div {{ background: var(--card); border: 1px solid var(--rule); border-radius: 10px;
  padding: .7rem .95rem .8rem; }}
.tiles dt {{ color: var(--muted); font-size: .85rem; }}
.tiles dd {{ margin: 0; font-size: 1.55rem; font-weight: 620; line-height: 1.3;
  font-variant-numeric: tabular-nums; }}
.tiles dd small {{ display: block; font-size: .8rem; font-weight: 400; color: var(--muted); }}
figure {{ margin: 1rem 0 0; }}
.wide {{ overflow-x: auto; }}
table, figcaption {{ margin-top: .8rem; }}
figure svg {{ display: block; width: 100%; min-width: 620px; height: auto; }}
table {{ border-collapse: collapse; width: 100%; font-size: .93rem;
  font-variant-numeric: tabular-nums; }}
th, td {{ text-align: right; padding: .42rem .7rem; border-bottom: 1px solid var(--rule);
  white-space: nowrap; }}
th {{ color: var(--muted); font-weight: 500; }}
th:first-child, td:first-child {{ text-align: left; padding-left: 0; }}
tbody tr.mean td {{ font-weight: 620; border-bottom: 0; }}
td i {{ display: inline-block; width: .75em; height: .75em; border-radius: 3px;
  margin-right: .5em; }}
.answers {{ display: grid; grid-template-columns: 7.5rem 1fr; gap: .45rem 1rem; margin: 0; }}
.answers dt {{ color: var(--muted); }}
.answers dd {{ margin: 0; }}
.guide {{ padding-left: 1.1rem; color: var(--muted); font-size: .9rem; }}
.guide b {{ color: var(--ink); font-weight: 600; }}
details {{ margin-top: 1rem; }}
summary {{ cursor: pointer; color: var(--muted); }}
pre {{ background: var(--card); border: 1px solid var(--rule); border-radius: 10px;
  padding: .9rem 1rem; overflow-x: auto; font: .82rem/1.5 var(--mono); }}
.films {{ display: grid; grid-template-columns: repeat(auto-fit, minmax(16rem, 1fr)); gap: 1rem; }}
.films img, .films video {{ width: 100%; border-radius: 10px; border: 1px solid var(--rule); }}
.empty {{ background: var(--card); border: 1px dashed var(--rule); border-radius: 10px;
  padding: 1.2rem; color: var(--muted); }}
footer {{ margin-top: 3rem; padding-top: 1rem; border-top: 1px solid var(--rule);
  color: var(--muted); font-size: .85rem; }}
@media (max-width: 560px) {{ .answers {{ grid-template-columns: 1fr; gap: 0; }}
  .answers dd {{ margin-bottom: .6rem; }} h1 {{ font-size: 1.6rem; }} }}
@media print {{
  main {{ max-width: none; padding: 0; }} body {{ font-size: 11pt; }}
  figure, table, .tiles, .answers {{ break-inside: avoid; }} h2 {{ break-after: avoid; }}
  .tiles {{ grid-template-columns: repeat(5, 1fr); gap: .4rem; }}
  .wide {{ overflow: visible; }} figure svg {{ min-width: 0; }}
}}
"""
