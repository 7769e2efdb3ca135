/** How the pages look: light or dark as the reader likes it; logs as on a terminal. */

import { TERMINAL_STYLE } from '../html/terminal.ts';

export const STYLE = `
:root{color-scheme:light dark;--line:#d8dee4;--quiet:#656d76;--well:#1a7f37;--bad:#cf222e;--odd:#9a6700;--now:#0969da}
@media(prefers-color-scheme:dark){:root{--line:#3d444d;--quiet:#9198a1;--well:#3fb950;--bad:#f85149;--odd:#d29922;--now:#4493f8}}
body{font:15px/1.5 system-ui,sans-serif;max-width:72rem;margin:0 auto;padding:1.5rem}
h1{font-size:1.3rem;margin:.2rem 0;overflow-wrap:anywhere}
h2{font-size:1rem;margin:1.8rem 0 .4rem}
header p{margin:0}
a{color:var(--now);text-decoration:none}
a:hover{text-decoration:underline}
table{border-collapse:collapse;width:100%;table-layout:fixed}
th,td{text-align:left;vertical-align:top;padding:.3rem 1rem .3rem 0;border-top:1px solid var(--line);overflow-wrap:anywhere}
thead th{color:var(--quiet);font-weight:normal;border-top:0}
th:nth-child(1){width:26%}th:nth-child(2){width:11%}th:nth-child(3){width:12rem}
.facts{margin-top:1rem}
.facts th:nth-child(1){width:10rem;color:var(--quiet);font-weight:normal}
.count,.time,.none{color:var(--quiet);font-weight:normal}
.empty h2{color:var(--quiet);font-weight:normal;margin:.6rem 0}
header{margin-bottom:1.5rem}
.done{color:var(--well)}.error{color:var(--odd)}.fail,.ended{color:var(--bad)}.running{color:var(--now)}.paused,.finishing{color:var(--odd)}
${TERMINAL_STYLE}
`;
