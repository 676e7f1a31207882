"""The page's style sheet. Blue and orange stay apart for every common kind of colour blindness."""

STYLE = """
:root{color-scheme:light dark;--ground:#f5f6f8;--card:#fff;--ink:#17202b;--soft:#5c6979;--rule:#e3e7ec;
--empty:#eef1f4;
--gain:#0b66c3;--loss:#c2570c;--gain-rgb:11,102,195;--loss-rgb:214,99,18;
--sans:system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",sans-serif}
@media (prefers-color-scheme:dark){:root{--ground:#0f141a;--card:#171e26;--ink:#e8edf2;--soft:#93a1b1;--rule:#2a3440;
--empty:#1f2832;--gain:#5aa9f5;--loss:#f0924a;--gain-rgb:90,169,245;--loss-rgb:240,146,74}}
*{box-sizing:border-box}
body{margin:0;background:var(--ground);color:var(--ink);font:15px/1.5 var(--sans)}
main{max-width:1180px;margin:0 auto;padding:28px 20px 48px;display:grid;gap:16px;grid-template-columns:minmax(0,1fr)}
header p,h1,h2,h3,dl,dd,figure,.caption{margin:0}
header p{color:var(--soft)}
.brand{font-size:12px;letter-spacing:.08em;text-transform:uppercase}
h1{font-size:30px;line-height:1.2;letter-spacing:-.01em;display:flex;gap:12px;align-items:center;flex-wrap:wrap}
.status{font-size:13px;font-weight:600;letter-spacing:0;padding:2px 10px;border-radius:99px;
border:1px solid currentColor;color:var(--gain)}
.status.failed,.status.killed{color:var(--loss)}
.card{background:var(--card);border:1px solid var(--rule);border-radius:10px;padding:16px 18px;min-width:0}
h2{font-size:16px;margin-bottom:12px}
h3{font-size:12px;font-weight:500;color:var(--soft)}
.figures{display:grid;grid-template-columns:repeat(4,1fr);gap:12px}
.figures .card{padding:12px 16px}
.figures dt{color:var(--soft);font-size:13px}
.figures dd{font-size:24px;font-weight:600;line-height:1.25;letter-spacing:-.01em;font-variant-numeric:tabular-nums;
overflow-wrap:anywhere}
.figures dd.note{font-size:12px;font-weight:400;color:var(--soft);letter-spacing:0}
.gain{color:var(--gain)}.loss{color:var(--loss)}
.pair{display:grid;grid-template-columns:minmax(0,1fr) minmax(0,1fr);gap:16px;align-items:start}
.curves{padding-right:76px}
.panel h3{margin-bottom:2px}
.plot{position:relative}
.panel.equity .plot{height:300px}
.panel.drawdown .plot{height:110px}
.panel.drawdown{margin-top:12px}
.plot svg{position:absolute;inset:0;width:100%;height:100%;overflow:visible}
.plot path,.plot line{vector-effect:non-scaling-stroke;fill:none}
.plot .rule{stroke:var(--rule);stroke-width:1}
.plot .base{stroke:var(--soft);stroke-width:1;stroke-dasharray:4 4}
.plot .line{stroke-width:1.6;stroke-linejoin:round}
.equity .line{stroke:var(--gain)}.equity .area{fill:rgba(var(--gain-rgb),.1)}
.drawdown .line{stroke:var(--loss)}.drawdown .area{fill:rgba(var(--loss-rgb),.16)}
.plot span{position:absolute;left:100%;transform:translateY(-50%);padding-left:8px;font-size:12px;color:var(--soft);
white-space:nowrap;font-variant-numeric:tabular-nums}
.plot .last{color:var(--card);background:var(--gain);border-radius:4px;padding:0 5px;margin-left:3px;font-weight:600}
.plot path.shadow{stroke:var(--loss);stroke-width:1.6;stroke-linejoin:round;stroke-dasharray:9 4 2 4}
.plot span.shadow{left:auto;right:4px;background:var(--card);border:1px dashed var(--loss);border-radius:4px;
padding:0 5px}
.axis{position:relative;height:22px;margin-top:4px;font-size:12px;color:var(--soft)}
.axis .x{position:absolute;transform:translateX(-50%);white-space:nowrap}
.bar-axis{display:flex;justify-content:space-between}
.caption{font-size:12px;color:var(--soft);margin-top:8px}
.bars{position:relative;display:flex;align-items:flex-end;gap:2px;height:196px;border-bottom:1px solid var(--soft)}
.bars i{flex:1;min-width:1px;border-radius:2px 2px 0 0}
.bars i.gain{background:var(--gain)}.bars i.loss{background:var(--loss)}
.bars .zero{position:absolute;top:0;bottom:0;width:1px;background:var(--soft);flex:none}
.key{white-space:nowrap;margin-left:8px;color:var(--soft)}
.key::before{content:"";display:inline-block;width:10px;height:10px;border-radius:2px;margin-right:5px}
.key.gain::before{background:var(--gain)}.key.loss::before{background:var(--loss)}
.scroll{overflow-x:auto}
.scroll.tall{max-height:520px;overflow-y:auto}
table{border-collapse:collapse;width:100%;font-size:13px;font-variant-numeric:tabular-nums}
.heat{border-collapse:separate;border-spacing:2px;table-layout:fixed;min-width:430px}
.heat th{font-weight:400;font-size:11px;color:var(--soft);text-align:left;padding:0}
.heat thead td,.heat tbody th{width:32px}
.heat tbody td{height:24px;border-radius:3px;background:var(--empty)}
.heat td.gain{background:rgba(var(--gain-rgb),var(--strength))}
.heat td.loss{background:rgba(var(--loss-rgb),var(--strength))}
.list th{position:sticky;top:0;background:var(--card);text-align:left;font-weight:500;color:var(--soft);
font-size:12px}
.list th,.list td{padding:5px 12px 5px 0;border-bottom:1px solid var(--rule)}
.tall .list td,.tall .list th,.nowrap{white-space:nowrap}
.list .n{text-align:right}
.list .gap{text-align:center;color:var(--soft);padding:10px}
.empty{color:var(--soft);margin:4px 0 2px}
footer{color:var(--soft);font-size:12px;overflow-wrap:anywhere}
@media (max-width:820px){.pair{grid-template-columns:minmax(0,1fr)}.figures{grid-template-columns:repeat(2,1fr)}}
@media (max-width:560px){main{padding:18px 12px 32px}h1{font-size:25px}.figures dd{font-size:19px}
.card{padding:13px 13px}
.panel.equity .plot{height:220px}.panel.drawdown .plot{height:84px}.curves{padding-right:64px}
.crowded .x:nth-child(even){display:none}}
"""
