"""The one stylesheet of the plain pages: a phone at 320 px first, dark and light, no script."""

STYLESHEET = """\
:root { color-scheme: light dark; --paper: #fff; --ink: #16181d; --soft: #4a505c; --line: #767d8a;
  --stop: #b00020; --good: #0b5d2a; --note: #0b4a82; --warn: #7a4a00; --bad: #a3001d; }
@media (prefers-color-scheme: dark) {
  :root { --paper: #14161a; --ink: #f1f3f6; --soft: #b9c0cc; --line: #7d8593;
    --stop: #c8102e; --good: #7fd69c; --note: #8fc4f5; --warn: #ffcf70; --bad: #ff9aa6; } }
* { box-sizing: border-box; }
html { font: 100%/1.45 system-ui, sans-serif; -webkit-text-size-adjust: 100%; }
body { margin: 0 auto; padding: 0.75rem; max-width: 44rem; background: var(--paper);
  color: var(--ink); overflow-wrap: anywhere; }
h1 { font-size: 1.25rem; margin: 0 0 0.75rem; }
h1.alarm { font-size: 1.8rem; line-height: 1.15; color: var(--bad); }
h2 { font-size: 1.1rem; margin: 1.5rem 0 0.5rem; }
h3 { font-size: 1rem; margin: 0.75rem 0 0.25rem; }
h4 { font-size: 1rem; margin: 0.5rem 0 0.25rem; color: var(--soft); }
p { margin: 0.25rem 0 0.5rem; }
ul, ol { margin: 0.25rem 0 0.5rem; padding-left: 1.5rem; }
li { margin: 0.25rem 0; }
a { color: var(--note); display: inline-block; padding: 0.35rem 0; }
code { font: 0.95em ui-monospace, monospace; }
form { margin: 0; }
.stop button { display: block; width: 100%; min-height: 7rem; padding: 0.5rem;
  font-size: clamp(1.6rem, 9vw, 3rem); font-weight: 800; line-height: 1.1; color: #fff;
  background: var(--stop); border: 0.3rem solid #ffd400; border-radius: 1rem; cursor: pointer; }
.stop button:active { background: #7d0017; }
:focus-visible { outline: 0.25rem solid var(--note); outline-offset: 0.2rem; }
.hint { color: var(--soft); font-size: 0.95rem; margin-top: 0.5rem; }
.verdict { margin-top: 1rem; padding: 0.75rem 1rem; border: 0.2rem solid currentColor;
  border-left-width: 1rem; border-radius: 0.5rem; }
.verdict > * { color: var(--ink); }
.verdict .word { margin: 0; font-size: 1.6rem; letter-spacing: 0.04em; color: inherit; }
.headline { font-weight: 600; font-size: 1.1rem; }
.info { color: var(--note); } .warning { color: var(--warn); } .fault { color: var(--bad); }
.safe { color: var(--good); }
.unknown { border-style: dashed; border-left-style: solid; }
.latched { border-left: 0.4rem solid var(--bad); padding-left: 0.75rem; margin-bottom: 1rem; }
.fire { font-weight: 600; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: 0.15rem 0.75rem; margin: 0; }
dt { color: var(--soft); } dd { margin: 0; font-variant-numeric: tabular-nums; }
summary { padding: 0.4rem 0; cursor: pointer; }
label { display: block; margin: 0.75rem 0 0.25rem; }
input { width: 100%; min-height: 2.75rem; padding: 0.4rem; font: inherit; color: var(--ink);
  background: var(--paper); border: 0.125rem solid var(--line); border-radius: 0.4rem; }
.go { margin-top: 1rem; min-height: 3rem; padding: 0.5rem 1.25rem; font: inherit; font-weight: 700;
  color: var(--paper); background: var(--ink); border: 0; border-radius: 0.4rem; }
footer { margin-top: 2rem; color: var(--soft); font-size: 0.9rem; }
@media (max-width: 24rem) { dl { grid-template-columns: 1fr; } dd { margin-bottom: 0.4rem; } }
"""
