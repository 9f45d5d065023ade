import { coloursCss } from "./colours.ts";

/**
 * The style sheet of the page. Each plot is rendered for wide and for narrow windows, so that its
 * labels keep the size of the text.
 */
export const pageCss = (): string => `${coloursCss()}
*{box-sizing:border-box}
body{font:16px/1.55 system-ui,sans-serif;color:var(--text);background:var(--page);max-width:68rem;margin:0 auto;padding:1.5rem 1rem 4rem}
h1,h2,h3{line-height:1.2;margin:0} h1{font-size:1.7rem} h2{font-size:1.3rem;margin:3rem 0 .6rem;padding-top:.8rem;border-top:1px solid var(--line)} h3{font-size:1.05rem;margin:2rem 0 .5rem}
p{max-width:48rem;margin:.6rem 0} a{color:var(--c0)} code,pre{font:.86em/1.5 ui-monospace,monospace}
pre{background:var(--panel);border:1px solid var(--line);border-radius:6px;padding:.7rem .9rem;white-space:pre-wrap;overflow-wrap:anywhere}
.dim,figcaption,summary,caption{color:var(--dim);font-size:.88rem} .lead{margin:.2rem 0 1.2rem}
.verdict{background:var(--panel);border:1px solid var(--line);border-left:5px solid var(--mark);border-radius:6px;padding:.8rem 1rem;margin:1rem 0}
.verdict.good{--mark:var(--good)} .verdict.bad{--mark:var(--bad)} .verdict strong{color:var(--mark)} .verdict p{margin:0} .verdict ul{margin:.4rem 0 0;padding-left:1.2rem}
.chips{display:flex;flex-wrap:wrap;gap:.4rem;list-style:none;padding:0!important;margin:.6rem 0 0!important} .chips li{font-size:.82rem;border:1px solid var(--line);border-radius:99px;padding:.05rem .6rem;background:var(--page)} .chips .good{color:var(--good)} .chips .bad{color:var(--bad)}
dl{display:grid;grid-template-columns:max-content minmax(0,1fr);gap:.25rem 1.2rem;margin:.8rem 0} dt{color:var(--dim)} dd{margin:0;overflow-wrap:anywhere}
.scroll{overflow-x:auto;margin:.8rem 0} table{border-collapse:collapse;font-variant-numeric:tabular-nums;font-size:.86rem} .left thead th:nth-child(2){text-align:left} caption{text-align:left;white-space:nowrap;padding-bottom:.3rem}
th,td{padding:.28rem .7rem .28rem 0;border-bottom:1px solid var(--line);text-align:right;vertical-align:top;white-space:nowrap} thead th{color:var(--dim);font-weight:500;vertical-align:bottom} tr>:first-child{text-align:left} tbody th{font-weight:600;white-space:nowrap} .sql{text-align:left;white-space:normal;display:block;width:min(30rem,62vw);margin:0;overflow-wrap:anywhere}
.bar{display:block;min-width:5rem;background:linear-gradient(to left,color-mix(in srgb,var(--c0) 28%,transparent) var(--share),transparent 0);padding:0 .2rem}
figure{margin:1rem 0 1.4rem} figcaption{margin-bottom:.3rem} figure svg{display:block;max-width:100%;height:auto;overflow:visible}
.narrow{display:none} .pair{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,19rem),1fr));gap:0 1.6rem} .pair figure{display:flex;flex-direction:column} .pair [role=img]{margin-top:auto}
.legend{display:flex;flex-wrap:wrap;gap:.15rem 1.1rem;list-style:none;margin:.2rem 0 .5rem;padding:0;font-size:.84rem} .legend li::before{content:"";display:inline-block;width:.8em;height:.8em;margin-right:.4em;border-radius:2px;background:var(--colour)}
details{margin:.4rem 0} summary{cursor:pointer}
@media (max-width:720px){.wide{display:none}.narrow{display:block}h2{margin-top:2.2rem}dl{grid-template-columns:1fr;gap:0}dd{margin-bottom:.5rem}}
@media print{body{max-width:none}details{display:block}}
`;
