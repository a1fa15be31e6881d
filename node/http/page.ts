/** The page at `/`: what /api/status says, renewed every two seconds. Text is set as text, never as markup. */
import { pageScript } from './page-script.ts';

const style = `
  :root {
    color-scheme: light dark; font: 15px/1.45 system-ui, sans-serif;
    --line: #8883; --soft: #8881; --ok: #16803c; --warn: #b45309; --bad: #c81e1e; --bar: #2563eb;
  }
  @media (prefers-color-scheme: dark) { :root { --ok: #4ade80; --warn: #fbbf24; --bad: #f87171; --bar: #60a5fa; } }
  body { margin: 2rem auto 4rem; max-width: 68rem; padding: 0 1.2rem; }
  header { display: flex; flex-wrap: wrap; gap: .2rem 1rem; align-items: baseline; }
  h1 { font-size: 1.5rem; margin: 0; }
  h2 { font-size: .8rem; letter-spacing: .06em; margin: 1.8rem 0 .4rem; opacity: .7; text-transform: uppercase; }
  #place { opacity: .7; }
  #line { margin: .2rem 0 0; opacity: .8; }
  #tiles { display: grid; gap: .8rem; grid-template-columns: repeat(auto-fit, minmax(11rem, 1fr)); margin-top: 1.2rem; }
  .tile { background: var(--soft); border-radius: .5rem; padding: .6rem .9rem; }
  .tile b { display: block; font-size: 1.15rem; font-weight: 600; }
  .tile span { font-size: .85rem; opacity: .7; }
  table { border-collapse: collapse; width: 100%; }
  th, td { border-bottom: 1px solid var(--line); padding: .35rem .9rem .35rem 0; text-align: left; vertical-align: top; }
  th { font-weight: 600; font-size: .85rem; opacity: .7; }
  td { overflow-wrap: anywhere; }
  .note { border-bottom: 0; font-size: .9rem; padding-top: 0; }
  .ok { color: var(--ok); } .warn { color: var(--warn); } .bad { color: var(--bad); }
  .word::before { content: '\\25cf'; margin-right: .35rem; }
  .copy { align-items: center; display: grid; gap: .8rem; grid-template-columns: minmax(9rem, 1fr) 12rem minmax(12rem, 2fr); }
  .bar { background: var(--line); border-radius: .3rem; height: .5rem; overflow: hidden; }
  .bar i { background: var(--bar); display: block; height: 100%; }
  #problem { border-left: 4px solid var(--bad); padding-left: .8rem; }
  #problem:empty, section:empty, section[hidden] { display: none; }
`;

export const page = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Tributary</title>
<link rel="icon" href="data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'%3E%3Cpath d='M2 2l6 6v6M14 2L8 8' fill='none' stroke='%232563eb' stroke-width='2'/%3E%3C/svg%3E">
<style>${style}</style>
<header><h1 id="title">Tributary</h1><span id="place"></span></header>
<p id="line"></p>
<p id="problem"></p>
<div id="tiles"></div>
<section data-list><h2>Streams</h2><table id="streams"></table></section>
<section data-list><h2>Rewound: may be the last copy</h2><table id="rewound"></table></section>
<section data-list><h2>Origins</h2><table id="origins"></table></section>
<section data-list><h2>Applications</h2><table id="probes"></table></section>
<section data-list><h2>Slots</h2><table id="slots"></table></section>
<section data-list><h2>Findings</h2><table id="findings"></table></section>
<script>${pageScript}</script>
</html>
`;
