"""The style sheet of the page: colours for a bright and a dark screen, and for a narrow one.

Colours are those of Okabe and Ito, which people with any kind of colour vision can tell apart.
Lines differ by their dashes too.
"""

from typing import Final

__all__ = ["STYLE"]

STYLE: Final = """
:root {
  color-scheme: light dark;
  --back: #ffffff; --front: #1c1f23; --soft: #5b636d; --rule: #d9dde2; --box: #f4f6f8;
  --model: #0072b2; --popularity: #b35c00; --overlap: #00795a; --together: #9a4f80;
  --core: #0072b2; --edge: #b9c7d3; --contradictory: #d55e00; --spent: #8a8f96;
  --bad: #b3261e; --good: #00795a;
}
@media (prefers-color-scheme: dark) {
  :root {
    --back: #15181c; --front: #e8eaed; --soft: #a3abb5; --rule: #343a42; --box: #1e2329;
    --model: #56b4e9; --popularity: #e69f00; --overlap: #2fc79a; --together: #d99ac0;
    --core: #56b4e9; --edge: #4a5561; --contradictory: #ff8a3d; --spent: #7d848c;
    --bad: #ff8a80; --good: #2fc79a;
  }
}
* { box-sizing: border-box; }
body {
  margin: 0 auto; max-width: 46rem; padding: 1rem; background: var(--back); color: var(--front);
  font: 1rem/1.5 system-ui, sans-serif; overflow-wrap: anywhere;
}
h1 { font-size: 1.5rem; line-height: 1.25; margin: .5rem 0; }
h2 { font-size: 1.15rem; margin: 2rem 0 .25rem; border-top: 1px solid var(--rule); }
h2 { padding-top: 1rem; }
h3 { font-size: 1rem; margin: 1.25rem 0 .25rem; }
p { margin: .5rem 0; }
.soft, figcaption, caption { color: var(--soft); font-size: .9rem; }
.good { color: var(--good); } .bad { color: var(--bad); }
.tiles {
  display: grid; grid-template-columns: repeat(auto-fit, minmax(8rem, 1fr)); gap: .6rem;
  margin: 1rem 0; padding: 0;
}
.tiles div { background: var(--box); border-radius: .4rem; padding: .6rem .75rem; }
.tiles dt { color: var(--soft); font-size: .85rem; }
.tiles dd { margin: 0; font-size: 1.25rem; font-variant-numeric: tabular-nums; }
.tiles dd small { display: block; font-size: .8rem; color: var(--soft); }
figure { margin: .75rem 0 1rem; }
.chart svg { display: block; width: 100%; max-width: 46rem; height: auto; }
.chart text { font: 12px system-ui, sans-serif; fill: var(--soft); }
.chart .end { text-anchor: end; } .chart .middle { text-anchor: middle; }
.grid { stroke: var(--rule); } .axis { stroke: var(--soft); }
.mark line { stroke: var(--soft); stroke-dasharray: 2 3; }
.mark.refused line { stroke: var(--bad); stroke-dasharray: 1 5; }
.line { fill: none; stroke-width: 2; stroke-linejoin: round; }
.model { --own: var(--model); }
.popularity { --own: var(--popularity); stroke-dasharray: 7 3; }
.overlap { --own: var(--overlap); stroke-dasharray: 2 3; }
.co_occurrence { --own: var(--together); stroke-dasharray: 9 3 2 3; }
.core { --own: var(--core); } .edge { --own: var(--edge); }
.contradictory { --own: var(--contradictory); } .spent { --own: var(--spent); }
.other { --own: var(--soft); }
.line, .point { stroke: var(--own); } .point { fill: var(--back); stroke-dasharray: none; }
.area, .bar { fill: var(--own); stroke: none; }
.legend { list-style: none; display: flex; flex-wrap: wrap; gap: .25rem 1rem; padding: 0; }
.legend { margin: .25rem 0; font-size: .9rem; }
.key {
  display: inline-block; width: .9rem; height: .9rem; margin-right: .4rem; border-radius: .2rem;
  background: var(--own); vertical-align: -.1rem;
}
.wide { overflow-x: auto; } .prose { display: inline-block; min-width: 14rem; }
table { border-collapse: collapse; font-size: .9rem; font-variant-numeric: tabular-nums; }
caption { text-align: left; padding: .25rem 0; }
th, td { padding: .2rem .75rem .2rem 0; text-align: left; vertical-align: top; }
thead th { border-bottom: 1px solid var(--rule); color: var(--soft); font-weight: normal; }
tbody th { font-weight: normal; }
td, th { overflow-wrap: normal; }
details { margin: .25rem 0; } summary { cursor: pointer; color: var(--soft); font-size: .9rem; }
code { font-family: ui-monospace, monospace; font-size: .9em; }
dl.hashes dt { color: var(--soft); font-size: .9rem; } dl.hashes dd { margin: 0 0 .5rem; }
"""
"""Rules for every element and class that the page uses."""
