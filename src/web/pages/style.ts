/** How pages look: light or dark as the reader likes it, from the width of a phone on. Contrasts are those of WCAG AA. */

export const PAGE_STYLE = `
:root{color-scheme:light dark;--paper:#fff;--ink:#1f2328;--line:#d1d9e0;--quiet:#59636e;--well:#116329;--bad:#b91c2b;--odd:#7d4e00;--now:#0550ae;--raised:#f6f8fa}
@media(prefers-color-scheme:dark){:root{--paper:#0d1117;--ink:#e6edf3;--line:#3d444d;--quiet:#9da7b1;--well:#56d364;--bad:#ff7b72;--odd:#e3b341;--now:#79c0ff;--raised:#161b22}}
*{box-sizing:border-box}
body{font:15px/1.5 system-ui,sans-serif;background:var(--paper);color:var(--ink);max-width:76rem;margin:0 auto;padding:1rem 1.25rem 2rem}
a{color:var(--now)}
a:focus-visible,button:focus-visible,input:focus-visible,textarea:focus-visible,.button:focus-visible,select:focus-visible,.wide:focus-visible,summary:focus-visible{outline:2px solid var(--now);outline-offset:2px}
main:focus{outline:0}
.skip{position:absolute;left:-99rem}
.skip:focus{left:1rem;top:.5rem;background:var(--paper);padding:.3rem .6rem}
h1{font-size:1.35rem;margin:.2rem 0 .6rem;overflow-wrap:anywhere}
h2{font-size:1.05rem;margin:1.8rem 0 .5rem}
header nav{font-size:.9rem}
footer,.quiet,caption{color:var(--quiet)}
footer{font-size:.85rem;margin-top:2rem}
.wide{overflow-x:auto}
table{border-collapse:collapse;width:100%}
caption{text-align:left;padding:0 0 .3rem}
th,td{text-align:left;vertical-align:top;padding:.35rem .9rem .35rem 0;border-top:1px solid var(--line)}
thead th{color:var(--quiet);font-weight:normal;border-top:0;white-space:nowrap}
tbody th{font-weight:normal}
.number{text-align:right;white-space:nowrap;font-variant-numeric:tabular-nums}
.words{overflow-wrap:anywhere;min-width:10rem}
code,pre,.id{font-family:ui-monospace,monospace;font-size:.9em}
.failed,.unreadable,.stuck,.duplicate,.dead{color:var(--bad)}
.gap,.held,.past,.silent,.paused{color:var(--odd)}
.running,.alive{color:var(--well)}
.narrow{display:none}
.states{display:flex;flex-wrap:wrap;gap:.4rem;list-style:none;padding:0;margin:.6rem 0}
.states a{display:block;border:1px solid var(--line);border-radius:6px;padding:.25rem .7rem;text-decoration:none;background:var(--raised)}
.states a[aria-current]{border-color:var(--now);box-shadow:inset 0 0 0 1px var(--now)}
.states b{font-variant-numeric:tabular-nums}
form{display:flex;flex-wrap:wrap;gap:.6rem 1rem;align-items:end;margin:.6rem 0}
label{display:grid;gap:.15rem;font-size:.9rem;color:var(--quiet)}
input,textarea,select,button{font:inherit;color:inherit;background:var(--paper);border:1px solid var(--quiet);border-radius:6px;padding:.3rem .6rem;max-width:100%}
button,.button{background:var(--raised);cursor:pointer}
.button{display:inline-block;color:inherit;text-decoration:none;border:1px solid var(--quiet);border-radius:6px;padding:.3rem .6rem}
.actions{display:flex;flex-wrap:wrap;gap:.6rem;align-items:center;margin:.8rem 0}
.actions form{margin:0}
.tall{display:grid;max-width:34rem}
.notice{border-left:3px solid var(--well);padding:.2rem .8rem;margin:.6rem 0}
.trouble{border-left:3px solid var(--bad);padding:.2rem .8rem;margin:.6rem 0;list-style:none;overflow-wrap:anywhere}
.pages{display:flex;flex-wrap:wrap;gap:1rem;align-items:baseline;margin:.6rem 0}
.why{font-size:1.05rem;margin:.4rem 0}
.facts{display:grid;grid-template-columns:minmax(6rem,max-content) 1fr;gap:.2rem 1.2rem;margin:0}
.facts dt{color:var(--quiet)}
.facts dd{margin:0;overflow-wrap:anywhere;white-space:pre-wrap}
.log,.payload{overflow-x:auto;max-height:40rem;overflow-y:auto}
.payload{background:var(--raised);border:1px solid var(--line);border-radius:6px;padding:1rem;white-space:pre-wrap;overflow-wrap:anywhere}
.payload.hex{white-space:pre}
@media(max-width:40rem){body{padding:.6rem .7rem 2rem}.extra{display:none}.narrow{display:block}.words{min-width:7rem}th,td{padding-right:.6rem}.facts{grid-template-columns:1fr}.facts dd{margin-bottom:.4rem}}
@media print{.skip,form,.pages,footer{display:none}}
`;
